{#- Names that the scripts about silver share: its tables, its columns, and how they are written. -#}
{% set values = contract.stored_columns | map(attribute='name') | list + evolved %}
{% set platform = ['key_hash', 'row_hash', 'source_file', 'source_generation'] %}
{% set own = contract.stored_columns | map(attribute='name') | list + platform %}
{% set demanded = contract.stored_columns | selectattr('required') | map(attribute='name') | list + platform + ['run'] %}
{% set columns = own + evolved %}
{% set places = [product, product ~ '__superseded'] %}
{% set bucket = 'ABS(MOD(key_hash, 1000))' %}
{% macro names(columns, prefix='') %}
{% for name in columns %}{{ prefix }}`{{ name }}`{{ '' if loop.last else ', ' }}{% endfor %}
{%- endmacro %}
{% macro same_key(one, other) %}
{% for name in contract.key %}{{ '' if loop.first else ' AND ' }}{{ one }}.`{{ name }}` = {{ other }}.`{{ name }}`{% endfor %}
{%- endmacro %}
{% macro shown_and_to_be_shown() %}
shown AS (
  SELECT {{ names(values) }}
  FROM `{{ silver }}.{{ product }}`
  WHERE {{ partition_by }} IN UNNEST(version_dates) AND key_hash IN (SELECT key_hash FROM {{ table }}__keys)
),
to_be_shown AS (
  SELECT {{ names(values) }}
  FROM {{ table }}__versions
  WHERE shown__
)
{%- endmacro %}
