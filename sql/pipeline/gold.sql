-- Refreshes a gold table with what the runs of its product changed: {{ table }}.
-- From its SELECT in sql/gold/, and the checks beside it.
-- Built aside, checked, then shown at once; what it shows is noted, so that a lost refresh is still owed. A SELECT that
-- was changed owes every run, and its table is made anew. A run that another refresh has shown since this one looked
-- is for that one to show: what was built here may be older.
{% from 'pipeline/turn.sql' import take_turn, turn with context %}
{% set shown %}
product = {{ product | literal }} AND table_name = {{ table | literal }} AND definition = {{ definition | literal }}
{%- endset %}
{% set alone %}
SELECT
    IF(
      COUNT(*) > 0,
      ERROR(CONCAT('{{ table }}: could not serialize with another refresh, which has shown run ', MIN(run), ' meanwhile')),
      'alone'
    ) AS refresh
  FROM `{{ ops }}.refreshes`
  WHERE {{ shown }} AND run IN (SELECT run FROM {{ build }}__owed);
{%- endset %}
{% set note %}
INSERT INTO `{{ ops }}.refreshes` (product, table_name, definition, run, refreshed_at)
  SELECT {{ product | literal }}, {{ table | literal }}, {{ definition | literal }}, run, CURRENT_TIMESTAMP()
  FROM {{ build }}__owed;
{%- endset %}
DECLARE touched ARRAY<DATE>;

-- Not a variable: those of a script have room for some 50,000 runs.
CREATE OR REPLACE TEMP TABLE {{ build }}__owed AS
SELECT r.run
FROM `{{ ops }}.runs` AS r
LEFT JOIN (
  SELECT run
  FROM `{{ ops }}.refreshes`
  WHERE {{ shown }}
) AS f ON f.run = r.run
WHERE r.product = {{ product | literal }} AND f.run IS NULL;
SET touched = (
  SELECT ARRAY_AGG(DISTINCT partition_date)
  FROM `{{ ops }}.touched_partitions`
  WHERE product = {{ product | literal }} AND run IN (SELECT run FROM {{ build }}__owed)
);

CREATE OR REPLACE TABLE `{{ staging }}.{{ build }}`
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY))
AS
{{ select }};

{% include 'pipeline/checks.sql' %}

{% if rebuild != 'full' %}
{{ turn(table ~ '__gold_turn') }}
IF EXISTS (
  SELECT 1
  FROM `{{ ops }}.refreshes`
  WHERE {{ shown }}
) THEN
  BEGIN TRANSACTION;
  -- Of two refreshes at once one is aborted, though neither finds a row of its dates to replace.
  {{ take_turn(table ~ '__gold_turn') }}
  {{ alone }}
  DELETE FROM `{{ gold }}.{{ table }}` WHERE {{ partition_by }} IN UNNEST(touched);
  INSERT INTO `{{ gold }}.{{ table }}` SELECT * FROM `{{ staging }}.{{ build }}`;
  {{ note }}
  COMMIT TRANSACTION;
ELSE
{% endif %}
  -- What was noted by another SELECT is shown no more: should that one come back, it owes every run anew.
  IF EXISTS (
    SELECT 1
    FROM `{{ ops }}.refreshes`
    WHERE product = {{ product | literal }} AND table_name = {{ table | literal }} AND definition != {{ definition | literal }}
  ) THEN
    DELETE FROM `{{ ops }}.refreshes`
    WHERE product = {{ product | literal }} AND table_name = {{ table | literal }} AND definition != {{ definition | literal }};
  END IF;
  {{ alone }}
  -- BigQuery replaces no table by one of another layout.
  IF (
    SELECT
      COUNT(*) > 0
      AND (
        COALESCE(MAX(IF(is_partitioning_column = 'YES', column_name, NULL)), '') != {{ (partition_by or '') | literal }}
        OR COALESCE(
          STRING_AGG(IF(clustering_ordinal_position IS NULL, NULL, column_name) ORDER BY clustering_ordinal_position), ''
        ) != {{ cluster_by | join(',') | literal }}
      )
    FROM `{{ gold }}`.INFORMATION_SCHEMA.COLUMNS
    WHERE table_name = {{ table | literal }}
  ) THEN
    DROP TABLE IF EXISTS `{{ gold }}.{{ table }}`;
  END IF;
  CREATE OR REPLACE TABLE `{{ gold }}.{{ table }}`
  {% if partition_by %}
  PARTITION BY {{ partition_by }}
  {% endif %}
  {% if cluster_by %}
  CLUSTER BY {{ cluster_by | join(', ') }}
  {% endif %}
  OPTIONS (description = {{ description | literal }})
  AS SELECT * FROM `{{ staging }}.{{ build }}`;
  {{ note }}
{% if rebuild != 'full' %}
END IF;
{% endif %}
DROP TABLE {{ build }}__owed;
