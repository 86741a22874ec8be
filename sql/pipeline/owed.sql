-- Gold tables that don't show a published run yet, or not by the SELECT that they have now.
-- From runs and refreshes.
-- A refresh that failed for good is made up for by the next run, even if no new file comes.
SELECT DISTINCT wanted.table_name
FROM UNNEST(ARRAY<STRUCT<table_name STRING, definition STRING>>[
  {% for table, definition in definitions.items() %}
  ({{ table | literal }}, {{ definition | literal }}){{ '' if loop.last else ',' }}
  {% endfor %}
]) AS wanted
CROSS JOIN `{{ ops }}.runs` AS published
LEFT JOIN `{{ ops }}.refreshes` AS shown
  ON
    shown.product = published.product
    AND shown.run = published.run
    AND shown.table_name = wanted.table_name
    AND shown.definition = wanted.definition
WHERE published.product = {{ product | literal }} AND shown.run IS NULL
