-- The business dates at which a person has rows, and whether silver shows rows of theirs there.
-- From silver and the rows that it doesn't show.
-- What is done to the person's rows is done in these partitions alone.
SELECT partition_date, LOGICAL_OR(shown) AS shown
FROM (
  {% for place in (product, product ~ '__superseded') %}
  SELECT `{{ partition_by }}` AS partition_date, {{ loop.first | literal }} AS shown
  -- Of any date: the table asks for a filter all the same.
  FROM `{{ silver }}.{{ place }}`
  WHERE
    `{{ partition_by }}` >= DATE '0001-01-01'
    AND
    {% include 'erasure/theirs.sql' %}
  {{ '' if loop.last else 'UNION ALL' }}
  {% endfor %}
)
GROUP BY partition_date
ORDER BY partition_date
