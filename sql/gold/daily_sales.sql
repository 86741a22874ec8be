-- What the chain sold each business date.
-- From silver.customer_transactions.
-- An order is a basket; items are lines, for quantity mixes pieces with volumes.
SELECT
  order_date,
  COUNT(DISTINCT order_id) AS orders,
  COUNT(DISTINCT customer_id) AS customers,
  COUNT(*) AS items,
  SUM(gross_sales) AS gross_sales,
  SUM(discounts) AS discounts,
  SUM(net_sales) AS net_sales,
  ROUND(SUM(net_sales) / COUNT(DISTINCT order_id), 6) AS average_order_value
FROM `{{ silver }}.customer_transactions`
WHERE order_date IN UNNEST(touched)
GROUP BY order_date
