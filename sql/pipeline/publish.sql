-- Publishes a run: silver, quarantine, ledger and run show it together, or not at all.
-- From the run's staging tables, after the audit.
-- Publishing it again changes nothing. A newer row of a key wins whatever the order of arrival, and wins whole: a
-- column beyond the contract that it doesn't bring is NULL. Replayed rows are in the ledger and in quarantine already.
{% set newer %}
s.{{ contract.order_by }} > t.{{ contract.order_by }} OR (s.{{ contract.order_by }} = t.{{ contract.order_by }} AND s.row_hash > t.row_hash)
{%- endset %}
{% set same_key %}
{% for name in contract.key %}{{ '' if loop.first else ' AND ' }}t.{{ name }} = s.{{ name }}{% endfor %}
{%- endset %}
{% set own = contract.stored_columns | map(attribute='name') | list + ['row_hash', 'source_file', 'source_generation'] %}
{% set columns = own + evolved %}
{% macro addition(name, type, description) %}
IF {{ name | literal }} NOT IN UNNEST(known) THEN
  ALTER TABLE `{{ silver }}.{{ product }}`
  ADD COLUMN IF NOT EXISTS `{{ name }}` {{ type }} OPTIONS (description = {{ description | literal }});
END IF;
{% endmacro %}
DECLARE known ARRAY<STRING>;

CREATE TABLE IF NOT EXISTS `{{ silver }}.{{ product }}` (
{% for column in contract.stored_columns %}
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

SET known = (
  SELECT ARRAY_AGG(column_name)
  FROM `{{ silver }}`.INFORMATION_SCHEMA.COLUMNS
  WHERE table_name = {{ product | literal }}
);
{% for column in contract.stored_columns if not column.required %}
{{ addition(column.name, column.physical_type, column.description) }}
{%- endfor %}
{% for name in evolved %}
{{ addition(name, 'STRING', 'Came by drift: files bring it, the contract does not know it.') }}
{%- endfor %}

CREATE TABLE IF NOT EXISTS `{{ quarantine }}.{{ product }}` (
  run STRING NOT NULL OPTIONS (description = 'The run that met the row.'),
  source_file STRING NOT NULL OPTIONS (description = 'The object that brought the row.'),
  source_generation INT64 NOT NULL OPTIONS (description = 'The version of that object.'),
  contract_version STRING NOT NULL OPTIONS (description = 'Version of the contract that the row broke.'),
  reasons ARRAY<STRUCT<`column` STRING, rule STRING, value STRING>> OPTIONS (description = 'Every rule that the row broke.'),
  raw STRING NOT NULL OPTIONS (description = 'The row exactly as read.'),
  resolved_by STRING OPTIONS (description = 'The run that brought the row after all, once the contract was mended.')
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
    SELECT
      {{ own | join(', ') }},
      {% for name in evolved %}
      JSON_VALUE(extra, {{ ('$.' ~ name) | literal }}) AS `{{ name }}`,
      {% endfor %}
    FROM `{{ staging }}.{{ table }}`
    WHERE status = 'valid'
  ) AS s
  ON {{ same_key }}
  WHEN MATCHED AND ({{ newer }}) THEN UPDATE SET
  {% for name in columns if name not in contract.key %}
    `{{ name }}` = s.`{{ name }}`,
  {% endfor %}
    run = {{ run | literal }}
  WHEN NOT MATCHED THEN INSERT ({% for name in columns %}`{{ name }}`, {% endfor %}run)
    VALUES ({% for name in columns %}s.`{{ name }}`, {% endfor %}{{ run | literal }});

  {% if replay %}
  UPDATE `{{ quarantine }}.{{ product }}` AS q
  SET resolved_by = {{ run | literal }}
  WHERE
    q.resolved_by IS NULL
    AND EXISTS (
      SELECT 1
      FROM `{{ staging }}.{{ table }}` AS s
      WHERE
        s.status IN ('valid', 'duplicate')
        AND s.source_file = q.source_file
        AND s.source_generation = q.source_generation
        AND s.raw = q.raw
    );
  {% else %}
  INSERT INTO `{{ quarantine }}.{{ product }}` (run, source_file, source_generation, contract_version, reasons, raw)
  SELECT {{ run | literal }}, source_file, source_generation, {{ contract.version | literal }}, reasons, raw
  FROM `{{ staging }}.{{ table }}`
  WHERE status = 'rejected';

  INSERT INTO `{{ ops }}.files` (
    product, uri, generation, size, checksum, run, state, reason, rows_read, rows_valid, rows_rejected, rows_duplicate,
    format, header
  )
  SELECT
    {{ product | literal }}, uri, generation, size, checksum, {{ run | literal }}, state, reason,
    rows_read, rows_valid, rows_rejected, rows_duplicate, format, header
  FROM `{{ staging }}.{{ table }}__files`;
  {% endif %}

  INSERT INTO `{{ ops }}.runs` (
    product, run, contract_version, release, files, rows_read, rows_valid, rows_rejected, rows_duplicate, published_at,
    replayed
  )
  SELECT
    {{ product | literal }}, {{ run | literal }}, {{ contract.version | literal }}, {{ release | literal }},
    COUNT(*), SUM(rows_read), SUM(rows_valid), SUM(rows_rejected), SUM(rows_duplicate), CURRENT_TIMESTAMP(),
    {{ (replay is not none) | literal }}
  FROM `{{ staging }}.{{ table }}__files`;

  COMMIT TRANSACTION;
END IF;
