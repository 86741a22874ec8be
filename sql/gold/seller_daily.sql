-- What each seller sold each business date.
-- From silver.sales.
-- Items are lines; gross sales are net sales and discounts.
SELECT
  seller_id,
  order_date,
  COUNT(DISTINCT order_id) AS orders,
  COUNT(*) AS items,
  SUM(gross_sales) AS gross_sales,
  SUM(gross_sales - net_sales) AS discounts,
  SUM(net_sales) AS net_sales,
  ROUND(SUM(net_sales) / COUNT(DISTINCT order_id), 6) AS average_order_value
FROM `{{ silver }}.sales`
WHERE order_date IN UNNEST(touched)
GROUP BY seller_id, order_date
