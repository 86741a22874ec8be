-- Refreshes a gold table with what the runs of its product changed: {{ table }}.
-- From its SELECT in sql/gold/.
-- Built aside, then swapped in one transaction; what it shows is noted, so that a lost refresh is still owed.
DECLARE owed ARRAY<STRING> DEFAULT (
  SELECT ARRAY_AGG(r.run)
  FROM `{{ ops }}.runs` AS r
  LEFT JOIN `{{ ops }}.refreshes` AS f
    ON f.product = r.product AND f.run = r.run AND f.table_name = {{ table | literal }}
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

CREATE TABLE IF NOT EXISTS `{{ gold }}.{{ table }}`
{% if partition_by %}
PARTITION BY {{ partition_by }}
{% endif %}
{% if cluster_by %}
CLUSTER BY {{ cluster_by | join(', ') }}
{% endif %}
OPTIONS (description = {{ description | literal }})
AS SELECT * FROM `{{ staging }}.{{ build }}` LIMIT 0;

BEGIN TRANSACTION;
DELETE FROM `{{ gold }}.{{ table }}` WHERE {{ 'TRUE' if rebuild == 'full' else partition_by ~ ' IN UNNEST(touched)' }};
INSERT INTO `{{ gold }}.{{ table }}` SELECT * FROM `{{ staging }}.{{ build }}`;
INSERT INTO `{{ ops }}.refreshes` (product, table_name, run, refreshed_at)
SELECT {{ product | literal }}, {{ table | literal }}, run, CURRENT_TIMESTAMP()
FROM UNNEST(owed) AS run;
COMMIT TRANSACTION;
