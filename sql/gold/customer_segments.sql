-- Each customer's recency, frequency and monetary value, scored 1 to 5 by quintile, and a segment's name.
-- From gold.customer_daily, as of its newest business date.
-- Quintiles rank customers against each other, so that one late row may move many: the table is built whole.
WITH
  customers AS (
    SELECT
      customer_id,
      MAX(order_date) AS last_order_date,
      SUM(orders) AS frequency,
      SUM(net_sales) AS monetary
    -- full scan: customers are ranked by all that they ever bought.
    FROM `{{ gold }}.customer_daily`
    GROUP BY customer_id
  ),
  dated AS (
    SELECT
      customer_id,
      MAX(last_order_date) OVER () AS snapshot_date,
      last_order_date,
      frequency,
      monetary
    FROM customers
  ),
  measured AS (
    SELECT
      customer_id,
      snapshot_date,
      DATE_DIFF(snapshot_date, last_order_date, DAY) AS recency_days,
      frequency,
      monetary
    FROM dated
  ),
  scored AS (
    SELECT
      customer_id,
      snapshot_date,
      recency_days,
      frequency,
      monetary,
      NTILE(5) OVER (ORDER BY recency_days DESC, customer_id) AS recency_score,
      NTILE(5) OVER (ORDER BY frequency, customer_id) AS frequency_score,
      NTILE(5) OVER (ORDER BY monetary, customer_id) AS monetary_score
    FROM measured
  )
SELECT
  customer_id,
  snapshot_date,
  recency_days,
  frequency,
  monetary,
  recency_score,
  frequency_score,
  monetary_score,
  CASE
    WHEN recency_score >= 4 AND frequency_score >= 4 AND monetary_score >= 4 THEN 'champions'
    WHEN frequency_score >= 4 AND recency_score >= 3 THEN 'loyal'
    WHEN recency_score <= 2 AND (frequency_score >= 4 OR monetary_score >= 4) THEN 'at risk'
    WHEN recency_score >= 4 AND frequency_score <= 2 THEN 'new or returning'
    WHEN recency_score >= 3 THEN 'promising'
    WHEN recency_score = 2 THEN 'cooling'
    ELSE 'dormant'
  END AS segment
FROM scored
