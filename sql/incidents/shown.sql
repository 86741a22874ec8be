-- When silver and each gold table of a product last began to show something new.
-- From ops.runs and ops.refreshes.
-- A deadline is met when all of them have done so since the run was due.
SELECT 'silver.{{ product }}' AS table_name, MAX(published_at) AS shown_at
FROM `{{ ops }}.runs`
WHERE product = {{ product | literal }}
{% for table in tables %}
UNION ALL
SELECT 'gold.{{ table }}' AS table_name, MAX(refreshed_at) AS shown_at
FROM `{{ ops }}.refreshes`
WHERE product = {{ product | literal }} AND table_name = {{ table | literal }}
{% endfor %}
