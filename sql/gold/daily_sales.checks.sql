-- #fail one_row_a_date: a business date has one row
SELECT order_date
FROM `{{ build }}`
GROUP BY order_date
HAVING COUNT(*) > 1;

-- #fail adds_up: gross sales are net sales and discounts
SELECT order_date
FROM `{{ build }}`
WHERE gross_sales != net_sales + discounts;

-- #fail same_as_silver: a date sells what its order lines sell, and has as many
SELECT COALESCE(g.order_date, s.order_date) AS order_date
FROM `{{ build }}` AS g
FULL JOIN (
  SELECT order_date, COUNT(*) AS items, SUM(net_sales) AS net_sales
  FROM `{{ silver }}.customer_transactions`
  WHERE order_date IN UNNEST(touched)
  GROUP BY order_date
) AS s ON s.order_date = g.order_date
WHERE g.items IS DISTINCT FROM s.items OR g.net_sales IS DISTINCT FROM s.net_sales;
