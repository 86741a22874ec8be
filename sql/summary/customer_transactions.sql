-- The figures that a run of customer_transactions ends with.
-- From silver.customer_transactions.
-- They are read from order lines, so that gold can be held against them.
SELECT
  COUNT(*) AS lines,
  COUNT(DISTINCT order_id) AS orders,
  COUNT(DISTINCT customer_id) AS customers,
  COUNT(DISTINCT agent_id) AS agents,
  COUNT(DISTINCT order_date) AS business_dates,
  SUM(gross_sales) AS gross_sales,
  SUM(discounts) AS discounts,
  SUM(net_sales) AS net_sales,
  ROUND(SUM(net_sales) / COUNT(DISTINCT order_id), 6) AS average_order_value
-- full scan: of all dates, on a laptop only.
FROM `{{ silver }}.customer_transactions`
