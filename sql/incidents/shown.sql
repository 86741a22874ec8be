-- When the newest files were published that silver and each gold table of a product show.
-- From ops.runs and ops.refreshes.
-- A deadline is met when all of them show files published since the run was due. Rows that are replayed, a person that is
-- forgotten, which is a run without files, and gold that is made anew bring nothing of it.
WITH
  brought AS (
    SELECT run, published_at
    FROM `{{ ops }}.runs`
    WHERE product = {{ product | literal }} AND files > 0 AND NOT COALESCE(replayed, FALSE)
  )
SELECT 'silver.{{ product }}' AS table_name, MAX(published_at) AS shown_at
FROM brought
{% for table in tables %}
UNION ALL
SELECT 'gold.{{ table }}' AS table_name, MAX(b.published_at) AS shown_at
FROM brought AS b
INNER JOIN `{{ ops }}.refreshes` AS f ON f.run = b.run
WHERE f.product = {{ product | literal }} AND f.table_name = {{ table | literal }}
{% endfor %}
