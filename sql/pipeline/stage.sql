-- Makes the staging tables of a run, which load jobs fill, and the view of its rows, which audit and publish read.
-- From the contract.
-- They expire by themselves; a retry finds them and loads them anew. The view spells out what a row's verdict tells,
-- and which rows are duplicates: for each there is a row that has nothing but its file's number and its own.
{% set options %}
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY))
{%- endset %}
CREATE TABLE IF NOT EXISTS `{{ staging }}.{{ table }}__rows` (
{% for column in contract.stored_columns %}
  {{ column.name }} {{ column.physical_type }},
{% endfor %}
{% if contract.evolves %}
  extra STRING,
{% endif %}
  key_hash INT64,
  row_hash INT64,
  file__ INT64,
  row__ INT64,
  verdict__ STRING
)
{{ options }};

CREATE TABLE IF NOT EXISTS `{{ staging }}.{{ table }}__files` (
  file INT64,
  uri STRING,
  generation INT64,
  size INT64,
  checksum STRING,
  state STRING,
  reason STRING,
  rows_read INT64,
  rows_valid INT64,
  rows_rejected INT64,
  rows_duplicate INT64,
  format STRING,
  header STRING,
  new_columns ARRAY<STRING>,
  missing_columns ARRAY<STRING>
)
{{ options }};

CREATE OR REPLACE VIEW `{{ staging }}.{{ table }}`
{{ options }}
AS
SELECT
  {% for column in contract.stored_columns %}
  r.{{ column.name }},
  {% endfor %}
  {{ 'r.extra' if contract.evolves else 'CAST(NULL AS STRING) AS extra' }},
  r.key_hash,
  r.row_hash,
  f.uri AS source_file,
  f.generation AS source_generation,
  IF(d.row__ IS NULL, COALESCE(JSON_VALUE(r.verdict__, '$.status'), 'valid'), 'duplicate') AS status,
  ARRAY(
    SELECT AS STRUCT
      JSON_VALUE(reason, '$.column') AS `column`,
      JSON_VALUE(reason, '$.rule') AS rule,
      JSON_VALUE(reason, '$.value') AS value
    FROM UNNEST(JSON_QUERY_ARRAY(r.verdict__, '$.reasons')) AS reason WITH OFFSET AS place
    ORDER BY place
  ) AS reasons,
  JSON_VALUE(r.verdict__, '$.raw') AS raw
FROM `{{ staging }}.{{ table }}__rows` AS r
LEFT JOIN `{{ staging }}.{{ table }}__files` AS f ON f.file = r.file__
LEFT JOIN `{{ staging }}.{{ table }}__rows` AS d ON d.row__ = r.row__ AND d.row_hash IS NULL
WHERE r.row_hash IS NOT NULL;
