-- Makes the staging tables of a run, which load jobs fill and the audit reads.
-- From the contract.
-- They expire by themselves; a retry finds them and loads them anew.
CREATE TABLE IF NOT EXISTS `{{ staging }}.{{ table }}` (
{% for column in contract.stored_columns %}
  {{ column.name }} {{ column.physical_type }},
{% endfor %}
  extra STRING,
  row_hash INT64,
  source_file STRING,
  source_generation INT64,
  status STRING,
  reasons ARRAY<STRUCT<`column` STRING, rule STRING, value STRING>>,
  raw STRING
)
CLUSTER BY status
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY));

CREATE TABLE IF NOT EXISTS `{{ staging }}.{{ table }}__files` (
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
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY));
