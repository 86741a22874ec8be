-- Gold tables that don't show a published run yet.
-- From runs and refreshes.
-- A refresh that failed for good is made up for by the next run, even if no new file comes.
SELECT gold_table
FROM UNNEST(ARRAY<STRING>{{ tables | literal }}) AS gold_table
CROSS JOIN (
  SELECT run
  FROM `{{ ops }}.runs`
  WHERE product = {{ product | literal }}
) AS published
LEFT JOIN `{{ ops }}.refreshes` AS shown
  ON shown.product = {{ product | literal }}
  AND shown.table_name = gold_table
  AND shown.run = published.run
WHERE shown.run IS NULL
GROUP BY gold_table
