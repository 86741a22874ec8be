-- The files that hold a person's rows, and those that were rejected as a whole, of which nobody knows.
-- From silver, the rows that it doesn't show, and the ledger.
-- Rejected rows are looked for by their text, in rejected.sql.
WITH
  held AS (
    {% for place in (product, product ~ '__superseded') %}
    SELECT source_file
    -- Of any date: the table asks for a filter all the same.
    FROM `{{ silver }}.{{ place }}`
    WHERE `{{ partition_by }}` >= DATE '0001-01-01' AND CAST(`{{ column }}` AS STRING) = {{ value | literal }}
    {{ '' if loop.last else 'UNION DISTINCT' }}
    {% endfor %}
  )
SELECT uri, generation, state, COALESCE(format, 'csv') AS format
FROM `{{ ops }}.files`
WHERE product = {{ product | literal }}
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1
  AND (state = 'rejected' OR uri IN (SELECT source_file FROM held) OR uri IN UNNEST(ARRAY<STRING>{{ mentioned | literal }}))
ORDER BY uri
