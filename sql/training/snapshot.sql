-- Freezes the features of a model's snapshot dates in gold, and exports its examples to Parquet.
-- From gold.customer_daily, by sql/gold/customer_features.sql and sql/training/examples.sql.
-- Built aside and checked; then the dates are replaced in one transaction, so that taking a snapshot again changes
-- nothing. The labels are read from customer_daily once more, so that it is compared after that as well.
{% macro unchanged() %}
SELECT
  IF(
    fingerprint IS DISTINCT FROM {{ fingerprint | literal }},
    ERROR('gold.customer_daily has changed since the snapshot was planned. Next: run the training DAG again.'),
    'unchanged'
  ) AS gold
FROM (
  {% include 'training/provenance.sql' %}
);
{%- endmacro %}
{% macro columns(dataset, table) %}
(
  SELECT STRING_AGG(CONCAT(column_name, ' ', data_type) ORDER BY ordinal_position)
  FROM `{{ dataset }}`.INFORMATION_SCHEMA.COLUMNS
  WHERE table_name = {{ table | literal }}
)
{%- endmacro %}
DECLARE snapshot_dates ARRAY<DATE> DEFAULT {{ plan.snapshot_dates | literal }};
DECLARE train_dates ARRAY<DATE> DEFAULT {{ plan.train_dates | literal }};
DECLARE validation_date DATE DEFAULT {{ plan.validation_date | literal }};
DECLARE test_date DATE DEFAULT {{ plan.test_date | literal }};
DECLARE score_date DATE DEFAULT {{ plan.score_date | literal }};

CREATE OR REPLACE TABLE `{{ staging }}.{{ build }}`
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY))
AS
{{ features }};

{% include 'pipeline/checks.sql' %}

{{ unchanged() }}

-- Features that were changed begin a new table: versions keep what they learned from in their examples.
IF {{ columns(gold, 'customer_features') }} IS DISTINCT FROM {{ columns(staging, build) }} THEN
  CREATE OR REPLACE TABLE `{{ gold }}.customer_features`
  PARTITION BY snapshot_date
  CLUSTER BY customer_id
  OPTIONS (description = {{ description | literal }})
  AS SELECT * FROM `{{ staging }}.{{ build }}` LIMIT 0;
END IF;

BEGIN TRANSACTION;
DELETE FROM `{{ gold }}.customer_features` WHERE snapshot_date IN UNNEST(snapshot_dates);
INSERT INTO `{{ gold }}.customer_features` SELECT * FROM `{{ staging }}.{{ build }}`;
COMMIT TRANSACTION;

EXPORT DATA OPTIONS (uri = {{ (uri ~ '/*.parquet') | literal }}, format = 'PARQUET', overwrite = TRUE)
AS
{{ examples }};

{{ unchanged() }}
