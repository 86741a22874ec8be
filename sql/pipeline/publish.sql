-- Publishes a run: silver, quarantine, ledger and run show it together, or not at all.
-- From the run's staging tables, after the audit.
-- Publishing it again changes nothing. A newer row of a key wins whatever the order of arrival.
{% set newer %}
s.{{ contract.order_by }} > t.{{ contract.order_by }} OR (s.{{ contract.order_by }} = t.{{ contract.order_by }} AND s.row_hash > t.row_hash)
{%- endset %}
{% set same_key %}
{% for name in contract.key %}{{ '' if loop.first else ' AND ' }}t.{{ name }} = s.{{ name }}{% endfor %}
{%- endset %}
{% set columns = contract.columns | map(attribute='name') | list + ['row_hash', 'source_file', 'source_generation'] %}
CREATE TABLE IF NOT EXISTS `{{ silver }}.{{ product }}` (
{% for column in contract.columns %}
  {{ column.name }} {{ column.physical_type }}{{ ' NOT NULL' if column.required }} OPTIONS (description = {{ column.description | literal }}),
{% endfor %}
  row_hash INT64 NOT NULL OPTIONS (description = 'Hash of the row, which decides between rows of one key and time.'),
  source_file STRING NOT NULL OPTIONS (description = 'The object that brought the row.'),
  source_generation INT64 NOT NULL OPTIONS (description = 'The version of that object.'),
  run STRING NOT NULL OPTIONS (description = 'The run that published the row.')
)
PARTITION BY {{ partition_by }}
{% if cluster_by %}
CLUSTER BY {{ cluster_by | join(', ') }}
{% endif %}
OPTIONS (description = {{ contract.description | literal }});

CREATE TABLE IF NOT EXISTS `{{ quarantine }}.{{ product }}` (
  run STRING NOT NULL OPTIONS (description = 'The run that met the row.'),
  source_file STRING NOT NULL OPTIONS (description = 'The object that brought the row.'),
  source_generation INT64 NOT NULL OPTIONS (description = 'The version of that object.'),
  contract_version STRING NOT NULL OPTIONS (description = 'Version of the contract that the row broke.'),
  reasons ARRAY<STRUCT<`column` STRING, rule STRING, value STRING>> OPTIONS (description = 'Every rule that the row broke.'),
  raw STRING NOT NULL OPTIONS (description = 'The row exactly as read.')
)
CLUSTER BY run
OPTIONS (description = {{ ('Rejected rows of ' ~ product ~ '.') | literal }});

IF NOT EXISTS (SELECT 1 FROM `{{ ops }}.runs` WHERE product = {{ product | literal }} AND run = {{ run | literal }}) THEN
  BEGIN TRANSACTION;

  INSERT INTO `{{ ops }}.touched_partitions` (product, run, partition_date)
  WITH
    changes AS (
      SELECT s.{{ partition_by }} AS new_date, t.{{ partition_by }} AS old_date
      FROM `{{ staging }}.{{ table }}` AS s
      LEFT JOIN `{{ silver }}.{{ product }}` AS t ON {{ same_key }}
      WHERE s.status = 'valid' AND (t.{{ contract.key[0] }} IS NULL OR {{ newer }})
    )
  SELECT {{ product | literal }}, {{ run | literal }}, new_date
  FROM changes
  UNION DISTINCT
  SELECT {{ product | literal }}, {{ run | literal }}, old_date
  FROM changes
  WHERE old_date IS NOT NULL;

  MERGE `{{ silver }}.{{ product }}` AS t
  USING (
    SELECT {{ columns | join(', ') }}
    FROM `{{ staging }}.{{ table }}`
    WHERE status = 'valid'
  ) AS s
  ON {{ same_key }}
  WHEN MATCHED AND ({{ newer }}) THEN UPDATE SET
  {% for name in columns if name not in contract.key %}
    {{ name }} = s.{{ name }},
  {% endfor %}
    run = {{ run | literal }}
  WHEN NOT MATCHED THEN INSERT ({{ columns | join(', ') }}, run)
    VALUES ({% for name in columns %}s.{{ name }}, {% endfor %}{{ run | literal }});

  INSERT INTO `{{ quarantine }}.{{ product }}` (run, source_file, source_generation, contract_version, reasons, raw)
  SELECT {{ run | literal }}, source_file, source_generation, {{ contract.version | literal }}, reasons, raw
  FROM `{{ staging }}.{{ table }}`
  WHERE status = 'rejected';

  INSERT INTO `{{ ops }}.files` (
    product, uri, generation, size, checksum, run, state, reason, rows_read, rows_valid, rows_rejected, rows_duplicate
  )
  SELECT
    {{ product | literal }}, uri, generation, size, checksum, {{ run | literal }}, state, reason,
    rows_read, rows_valid, rows_rejected, rows_duplicate
  FROM `{{ staging }}.{{ table }}__files`;

  INSERT INTO `{{ ops }}.runs` (
    product, run, contract_version, release, files, rows_read, rows_valid, rows_rejected, rows_duplicate, published_at
  )
  SELECT
    {{ product | literal }}, {{ run | literal }}, {{ contract.version | literal }}, {{ release | literal }},
    COUNT(*), SUM(rows_read), SUM(rows_valid), SUM(rows_rejected), SUM(rows_duplicate), CURRENT_TIMESTAMP()
  FROM `{{ staging }}.{{ table }}__files`;

  COMMIT TRANSACTION;
END IF;
