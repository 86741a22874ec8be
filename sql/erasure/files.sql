-- The files that hold a person's rows, and those that were rejected as a whole, of which nobody knows.
-- From silver, the rows that it doesn't show, and the ledger.
-- Where rejected rows are the person's, also the files of all rows that name them: whoever asks knows which.
WITH
  held AS (
    {% for place in (product, product ~ '__superseded') %}
    SELECT source_file
    -- Of any date: the table asks for a filter all the same.
    FROM `{{ silver }}.{{ place }}`
    WHERE
      `{{ partition_by }}` >= DATE '0001-01-01'
      AND
      {% include 'erasure/theirs.sql' %}
    {{ '' if loop.last else 'UNION DISTINCT' }}
    {% endfor %}
  )
SELECT uri, generation, state, COALESCE(format, 'csv') AS format, uri IN (SELECT source_file FROM held) AS is_held
FROM `{{ ops }}.files`
WHERE product = {{ product | literal }}
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1
  AND (
    state = 'rejected'
    OR is_held
    {% if mentioned %}
    OR uri IN (
      SELECT source_file
      FROM `{{ quarantine }}.{{ product }}`
      WHERE REGEXP_CONTAINS(raw, {{ pattern | literal }})
    )
    {% endif %}
  )
ORDER BY uri
