-- Refreshes a gold table with what the runs of its product changed: {{ table }}.
-- From its SELECT in sql/gold/, and the checks beside it.
-- Built aside, checked, then shown at once; what it shows is noted, so that a lost refresh is still owed. A SELECT that
-- was changed owes every run, and its table is made anew.
DECLARE owed ARRAY<STRING> DEFAULT (
  SELECT ARRAY_AGG(r.run)
  FROM `{{ ops }}.runs` AS r
  LEFT JOIN `{{ ops }}.refreshes` AS f
    ON
      f.product = r.product
      AND f.run = r.run
      AND f.table_name = {{ table | literal }}
      AND f.definition = {{ definition | literal }}
  WHERE r.product = {{ product | literal }} AND f.run IS NULL
);
DECLARE touched ARRAY<DATE> DEFAULT (
  SELECT ARRAY_AGG(DISTINCT partition_date)
  FROM `{{ ops }}.touched_partitions`
  WHERE product = {{ product | literal }} AND run IN UNNEST(owed)
);

CREATE OR REPLACE TABLE `{{ staging }}.{{ build }}`
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY))
AS
{{ select }};

{% include 'pipeline/checks.sql' %}

{% set note %}
INSERT INTO `{{ ops }}.refreshes` (product, table_name, definition, run, refreshed_at)
  SELECT {{ product | literal }}, {{ table | literal }}, {{ definition | literal }}, run, CURRENT_TIMESTAMP()
  FROM UNNEST(owed) AS run;
{%- endset %}
{% if rebuild != 'full' %}
IF EXISTS (
  SELECT 1
  FROM `{{ ops }}.refreshes`
  WHERE product = {{ product | literal }} AND table_name = {{ table | literal }} AND definition = {{ definition | literal }}
) THEN
  BEGIN TRANSACTION;
  DELETE FROM `{{ gold }}.{{ table }}` WHERE {{ partition_by }} IN UNNEST(touched);
  INSERT INTO `{{ gold }}.{{ table }}` SELECT * FROM `{{ staging }}.{{ build }}`;
  {{ note }}
  COMMIT TRANSACTION;
ELSE
{% endif %}
  -- What was noted by another SELECT is shown no more: should that one come back, it owes every run anew.
  DELETE FROM `{{ ops }}.refreshes`
  WHERE product = {{ product | literal }} AND table_name = {{ table | literal }} AND definition != {{ definition | literal }};
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
