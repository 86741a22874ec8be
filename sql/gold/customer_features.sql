-- What the model knows of each eligible customer (an order in the last 90 days) on a snapshot date.
-- From customer_daily, the 91 partitions that end on each snapshot date; rows after a snapshot are never read for it.
-- Training and daily scoring share one definition. age = days before the snapshot; a window w means age < w.
WITH
  visits AS (
    SELECT
      daily.customer_id,
      snapshot_date,
      DATE_DIFF(snapshot_date, daily.order_date, DAY) AS age,
      DATE_DIFF(
        daily.order_date,
        LAG(daily.order_date) OVER (PARTITION BY daily.customer_id, snapshot_date ORDER BY daily.order_date),
        DAY
      ) AS gap,
      EXTRACT(DAYOFWEEK FROM daily.order_date) IN (1, 7) AS on_weekend,
      daily.orders,
      daily.items,
      daily.net_sales,
      daily.discounts
    FROM
      {{ gold }}.customer_daily AS daily
    INNER JOIN
      UNNEST(snapshot_dates) AS snapshot_date
      ON daily.order_date BETWEEN DATE_SUB(snapshot_date, INTERVAL 90 DAY) AND snapshot_date
    WHERE
      -- The dates come in ascending order: a subquery for the bounds would keep BigQuery from pruning partitions.
      daily.order_date >= DATE_SUB(ARRAY_FIRST(snapshot_dates), INTERVAL 90 DAY)
      AND daily.order_date <= ARRAY_LAST(snapshot_dates)
  ),
  totals AS (
    SELECT
      customer_id,
      snapshot_date,
      MIN(age) AS recency_days,
      MAX(age) AS first_age_91,
      COUNTIF(age < 7) AS active_days_7,
      COUNTIF(age < 14) AS active_days_14,
      COUNTIF(age < 30) AS active_days_30,
      COUNTIF(age < 90) AS active_days_90,
      COUNTIF(age >= 30 AND age < 60) AS active_days_31_60,
      COUNTIF(age >= 60 AND age < 90) AS active_days_61_90,
      COUNT(DISTINCT DIV(age, 7)) AS active_weeks_13,
      AVG(gap) AS avg_gap,
      STDDEV_POP(gap) AS sd_gap,
      MAX(gap) AS max_gap,
      SUM(IF(age < 90, orders, 0)) AS orders_90,
      SUM(IF(age < 90, items, 0)) AS items_90,
      SUM(IF(age < 30, net_sales, 0)) AS sales_30,
      SUM(IF(age >= 30 AND age < 60, net_sales, 0)) AS sales_31_60,
      SUM(IF(age < 90, net_sales, 0)) AS sales_90,
      SUM(IF(age < 90, discounts, 0)) AS discounts_90,
      COUNTIF(age < 90 AND on_weekend) AS weekend_days_90
    FROM
      visits
    GROUP BY
      customer_id,
      snapshot_date
    HAVING
      MIN(age) < 90
  )
SELECT
  customer_id,
  snapshot_date,
  recency_days,
  first_age_91,
  active_days_7,
  active_days_14,
  active_days_30,
  active_days_90,
  active_days_31_60,
  active_days_61_90,
  active_weeks_13,
  -- A single visit has no gap: as long as the window, and steady.
  COALESCE(avg_gap, 91.0) AS avg_gap_90,
  COALESCE(sd_gap, 0.0) AS sd_gap_90,
  COALESCE(max_gap, 91) AS max_gap_90,
  orders_90,
  items_90,
  sales_30,
  sales_31_60,
  sales_90,
  COALESCE(SAFE_DIVIDE(CAST(sales_90 AS FLOAT64), CAST(orders_90 AS FLOAT64)), 0.0) AS aov_90,
  COALESCE(
    SAFE_DIVIDE(CAST(discounts_90 AS FLOAT64), CAST(sales_90 + discounts_90 AS FLOAT64)),
    0.0
  ) AS discount_rate_90,
  SAFE_DIVIDE(weekend_days_90, active_days_90) AS weekend_share_90
FROM
  totals
