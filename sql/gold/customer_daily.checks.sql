-- #fail one_row_a_customer_and_date: a customer has one row a business date
SELECT customer_id, order_date
FROM `{{ build }}`
GROUP BY customer_id, order_date
HAVING COUNT(*) > 1;

-- #fail orders_have_items: an order has at least one line
SELECT customer_id, order_date
FROM `{{ build }}`
WHERE orders < 1 OR items < orders;

-- #fail same_as_silver: the customers of a date buy what its order lines sell
SELECT COALESCE(g.order_date, s.order_date) AS order_date
FROM (
  SELECT order_date, SUM(items) AS items, SUM(net_sales) AS net_sales
  FROM `{{ build }}`
  GROUP BY order_date
) AS g
FULL JOIN (
  SELECT order_date, COUNT(*) AS items, SUM(net_sales) AS net_sales
  FROM `{{ silver }}.customer_transactions`
  WHERE order_date IN UNNEST(touched)
  GROUP BY order_date
) AS s ON s.order_date = g.order_date
WHERE g.items IS DISTINCT FROM s.items OR g.net_sales IS DISTINCT FROM s.net_sales;
