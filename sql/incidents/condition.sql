-- How many rows of a gold table meet an alert's condition.
-- From the newest partition of a table that has partitions by business date, else from all of it.
-- The condition is the product file's; `make check` has held it to be one.
SELECT COUNT(*) AS found
FROM `{{ gold }}.{{ table }}`
WHERE
  {% if partition_by %}
  {{ partition_by }} = {{ newest | literal }} AND
  {% endif %}
  (
    {{ where }}
  )
