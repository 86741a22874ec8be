-- What: the rows that a model is trained, stopped, tested on and scored with: features, split and label.
-- From: customer_features at the planned snapshot dates; customer_daily after them, for the label alone.
-- Why: one frozen extract, so that challenger and champion meet the same rows. Parquet wants FLOAT64, not NUMERIC.
-- A run that only scores has no dates but score_date.
WITH
  snapshots AS (
    SELECT
      train_date AS snapshot_date,
      'train' AS split
    FROM
      UNNEST(train_dates) AS train_date
    UNION ALL
    SELECT
      validation_date AS snapshot_date,
      'validation' AS split
    UNION ALL
    SELECT
      test_date AS snapshot_date,
      'test' AS split
    UNION ALL
    SELECT
      score_date AS snapshot_date,
      'score' AS split
  ),
  returning_customers AS (
    SELECT DISTINCT
      daily.customer_id,
      snapshots.snapshot_date
    FROM
      {{ gold }}.customer_daily AS daily
    INNER JOIN
      snapshots
      ON daily.order_date > snapshots.snapshot_date
      AND daily.order_date <= DATE_ADD(snapshots.snapshot_date, INTERVAL 30 DAY)
    WHERE
      daily.order_date > ARRAY_FIRST(snapshot_dates)
      AND daily.order_date <= DATE_ADD(test_date, INTERVAL 30 DAY)
  )
SELECT
  features.customer_id,
  features.snapshot_date,
  snapshots.split,
  CASE
    WHEN snapshots.split = 'score' THEN NULL
    WHEN returning_customers.customer_id IS NULL THEN 1
    ELSE 0
  END AS inactive_30d,
  features.recency_days,
  features.first_age_91,
  features.active_days_7,
  features.active_days_14,
  features.active_days_30,
  features.active_days_90,
  features.active_days_31_60,
  features.active_days_61_90,
  features.active_weeks_13,
  features.avg_gap_90,
  features.sd_gap_90,
  features.max_gap_90,
  features.orders_90,
  features.items_90,
  CAST(features.sales_30 AS FLOAT64) AS sales_30,
  CAST(features.sales_31_60 AS FLOAT64) AS sales_31_60,
  CAST(features.sales_90 AS FLOAT64) AS sales_90,
  features.aov_90,
  features.discount_rate_90,
  features.weekend_share_90
FROM
  {{ gold }}.customer_features AS features
INNER JOIN
  snapshots
  ON features.snapshot_date = snapshots.snapshot_date
LEFT JOIN
  returning_customers
  ON features.customer_id = returning_customers.customer_id
  AND features.snapshot_date = returning_customers.snapshot_date
WHERE
  features.snapshot_date >= ARRAY_FIRST(snapshot_dates)
  AND features.snapshot_date <= score_date
