-- #fail one_row_a_seller_and_date: a seller has one row a business date
SELECT seller_id, order_date
FROM `{{ build }}`
GROUP BY seller_id, order_date
HAVING COUNT(*) > 1;

-- #fail same_as_silver: a date sells what its order lines sell, and has as many
SELECT COALESCE(g.order_date, s.order_date) AS order_date
FROM (
  SELECT order_date, SUM(items) AS items, SUM(net_sales) AS net_sales
  FROM `{{ build }}`
  GROUP BY order_date
) AS g
FULL JOIN (
  SELECT order_date, COUNT(*) AS items, SUM(net_sales) AS net_sales
  FROM `{{ silver }}.sales`
  WHERE order_date IN UNNEST(touched)
  GROUP BY order_date
) AS s ON s.order_date = g.order_date
WHERE g.items IS DISTINCT FROM s.items OR g.net_sales IS DISTINCT FROM s.net_sales;
