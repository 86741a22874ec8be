-- Sales of each business date of the page's period, oldest first.
-- From gold.daily_sales.
-- The bounds are parameters, so that no partition outside the period is read.
SELECT
  order_date,
  orders,
  discounts,
  net_sales
FROM `{{ gold }}.daily_sales`
WHERE order_date BETWEEN @since AND @until
ORDER BY order_date
