-- What gold.customer_daily says of a snapshot date: whether its rows go that far, its customers and its lines.
-- From the 91 partitions that end with it, and any after it.
-- Told beside the population stability indices, which see no missing day and no missing store.
SELECT
  MAX(order_date) AS newest_date,
  COUNT(DISTINCT IF(age BETWEEN 0 AND 89, customer_id, NULL)) AS customers,
  COUNT(DISTINCT IF(age BETWEEN 1 AND 90, customer_id, NULL)) AS customers_before,
  COALESCE(SUM(IF(age = 0, items, 0)), 0) AS lines,
  COALESCE(SUM(IF(age BETWEEN 1 AND 28, items, 0)), 0) / 28 AS usual_lines
FROM (
  SELECT customer_id, order_date, items, DATE_DIFF({{ snapshot_date | literal }}, order_date, DAY) AS age
  FROM `{{ gold }}.customer_daily`
  WHERE order_date >= DATE_SUB({{ snapshot_date | literal }}, INTERVAL 90 DAY)
)
