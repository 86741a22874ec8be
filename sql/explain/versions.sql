-- Every version of a row that is kept, the one that silver shows first: where it came from, and what published it.
-- From silver, the rows that it doesn't show, and runs.
-- A duplicate within a run, and a row that lost to a newer one, are both among those that are not shown.
WITH
  versions AS (
    {% for place in (product, product ~ '__superseded') %}
    SELECT
      {{ loop.first | literal }} AS shown,
      `{{ partition_by }}` AS partition_date,
      `{{ contract.order_by }}` AS ordered,
      row_hash,
      source_file,
      source_generation,
      run
    -- Of any date: the table asks for a filter all the same.
    FROM `{{ silver }}.{{ place }}`
    WHERE
      `{{ partition_by }}` >= DATE '0001-01-01'
      {% for name in contract.key %}
      AND CAST(`{{ name }}` AS STRING) = {{ key[loop.index0] | literal }}
      {% endfor %}
    {{ '' if loop.last else 'UNION ALL' }}
    {% endfor %}
  )
SELECT
  v.shown,
  v.partition_date,
  v.ordered AS `{{ contract.order_by }}`,
  v.source_file,
  v.source_generation,
  v.run,
  r.contract_version,
  r.release,
  r.published_at
FROM versions AS v
LEFT JOIN `{{ ops }}.runs` AS r ON r.product = {{ product | literal }} AND r.run = v.run
ORDER BY v.shown DESC, v.ordered DESC, v.row_hash DESC, v.source_file DESC
