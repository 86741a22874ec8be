-- Gold tables that don't show a published run yet.
-- From runs and refreshes.
-- A refresh that failed for good is made up for by the next run, even if no new file comes.
SELECT table_name
FROM UNNEST(ARRAY<STRING>{{ tables | literal }}) AS table_name
CROSS JOIN (SELECT run FROM `{{ ops }}.runs` WHERE product = {{ product | literal }}) AS r
LEFT JOIN `{{ ops }}.refreshes` AS f
  ON f.product = {{ product | literal }} AND f.table_name = table_name AND f.run = r.run
WHERE f.run IS NULL
GROUP BY table_name
