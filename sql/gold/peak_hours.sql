-- Orders and sales by hour of each business date.
-- From silver.customer_transactions.
-- Hours are the stores' own, so that a peak is when the tills are busy.
SELECT
  order_date,
  order_hour,
  COUNT(DISTINCT order_id) AS orders,
  SUM(net_sales) AS net_sales
FROM `{{ silver }}.customer_transactions`
WHERE order_date IN UNNEST(touched)
GROUP BY order_date, order_hour
