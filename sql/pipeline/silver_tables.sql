{#- Declares what scripts about silver remember, makes silver's tables, and gives them the columns that a run brings and they
    don't have yet; what the contract demands no more may be NULL.
    From the contract, and what files bring beyond it. Silver's own table, whose columns are what is known, gains one last:
    a script that ends in between adds it to both when it is run again.
    A backfill is compared with them before it is published, so that they are made before that. -#}
{% macro layout(name, description) %}
CREATE TABLE IF NOT EXISTS `{{ silver }}.{{ name }}` (
{% for column in contract.stored_columns %}
  {{ column.name }} {{ column.physical_type }}{{ ' NOT NULL' if column.required }} OPTIONS (description = {{ column.description | literal }}),
{% endfor %}
  key_hash INT64 NOT NULL OPTIONS (description = 'Hash of the key, by which versions of a row are found.'),
  row_hash INT64 NOT NULL OPTIONS (description = 'Hash of the row, which decides between rows of one key and time.'),
  source_file STRING NOT NULL OPTIONS (description = 'The object that brought the row.'),
  source_generation INT64 NOT NULL OPTIONS (description = 'The version of that object.'),
  run STRING NOT NULL OPTIONS (description = 'The run that published the row.')
)
PARTITION BY {{ partition_by }}
{% if cluster_by %}
CLUSTER BY {{ cluster_by | join(', ') }}
{% endif %}
OPTIONS (description = {{ description | literal }});
{% endmacro %}
{% macro addition(name, type, description) %}
IF {{ name | literal }} NOT IN UNNEST(known) THEN
  {% for place in places | reverse %}
  ALTER TABLE `{{ silver }}.{{ place }}`
  ADD COLUMN IF NOT EXISTS `{{ name }}` {{ type }} OPTIONS (description = {{ description | literal }});
  {% endfor %}
END IF;
{% endmacro %}
DECLARE known ARRAY<STRING>;
DECLARE replaced_dates ARRAY<DATE>;
DECLARE buckets ARRAY<INT64>;
DECLARE version_dates ARRAY<DATE>;

{{ layout(product, contract.description) }}
{{ layout(product ~ '__superseded', 'Valid rows that ' ~ product ~ ' does not show: a newer row of their key came, or they say that it was deleted.') }}
CREATE TABLE IF NOT EXISTS `{{ silver }}.{{ product }}__keys` (
  bucket INT64 NOT NULL OPTIONS (description = 'The hash in 1,000 parts, so that few keys are found by reading little.'),
  key_hash INT64 NOT NULL OPTIONS (description = 'Hash of a key.'),
  partition_date DATE NOT NULL OPTIONS (description = 'A business date at which a version of its row is or was.')
)
PARTITION BY RANGE_BUCKET(bucket, GENERATE_ARRAY(0, 1000, 1))
CLUSTER BY key_hash
OPTIONS (description = 'Where the versions of a row may be, whatever date a newer one comes with.');

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

FOR strict IN (
  SELECT table_name, column_name
  FROM `{{ silver }}`.INFORMATION_SCHEMA.COLUMNS
  WHERE
    table_name IN UNNEST({{ places | literal }})
    AND is_nullable = 'NO'
    AND column_name NOT IN UNNEST({{ demanded | literal }})
) DO
  EXECUTE IMMEDIATE FORMAT(
    'ALTER TABLE `{{ silver }}.%s` ALTER COLUMN `%s` DROP NOT NULL', strict.table_name, strict.column_name
  );
END FOR;
