-- What each customer bought each business date.
-- From silver.customer_transactions.
-- The one source of everything about customers: segments and the model read it instead of order lines.
SELECT
  customer_id,
  order_date,
  COUNT(DISTINCT order_id) AS orders,
  COUNT(*) AS items,
  SUM(net_sales) AS net_sales,
  SUM(discounts) AS discounts
FROM `{{ silver }}.customer_transactions`
WHERE order_date IN UNNEST(touched)
GROUP BY customer_id, order_date
