-- Rows of a gold table that a row of silver is part of: those that share what the table is laid out by.
-- From the gold table and silver.
-- A customer's scores are such rows as well, of any date since.
SELECT g.*
{% if whole %}
-- full scan: a row feeds what is made of its customer on any later date.
{% endif %}
FROM `{{ gold }}.{{ table }}` AS g
INNER JOIN `{{ silver }}.{{ product }}` AS s
  ON
    {% for name in shared %}
    {{ '' if loop.first else 'AND ' }}g.`{{ name }}` = s.`{{ name }}`
    {% endfor %}
WHERE
  s.`{{ partition_by }}` = {{ partition_date | literal }}
  {% if dated %}
  AND g.`{{ dated }}` = {{ partition_date | literal }}
  {% endif %}
  {% for name in contract.key %}
  AND CAST(s.`{{ name }}` AS STRING) = {{ key[loop.index0] | literal }}
  {% endfor %}
