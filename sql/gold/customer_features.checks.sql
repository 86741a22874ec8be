-- #fail one_row_a_customer_and_snapshot: a customer has one row a snapshot date
SELECT customer_id, snapshot_date
FROM `{{ build }}`
GROUP BY customer_id, snapshot_date
HAVING COUNT(*) > 1;

-- #fail eligible: a customer has an order in the last 90 days, the snapshot date's included
SELECT customer_id, snapshot_date
FROM `{{ build }}`
WHERE recency_days NOT BETWEEN 0 AND 89 OR orders_90 < 1;

-- #fail every_snapshot: each planned snapshot date has customers
SELECT snapshot_date
FROM UNNEST(snapshot_dates) AS snapshot_date
WHERE snapshot_date NOT IN (SELECT snapshot_date FROM `{{ build }}`);

-- #fail same_as_customer_daily: a snapshot's orders and sales are those of the 90 dates that end with it
SELECT s.snapshot_date
FROM (
  SELECT snapshot_date, SUM(orders_90) AS orders, SUM(sales_90) AS net_sales
  FROM `{{ build }}`
  GROUP BY snapshot_date
) AS s
INNER JOIN (
  SELECT snapshot_date, SUM(orders) AS orders, SUM(net_sales) AS net_sales
  FROM `{{ gold }}.customer_daily`
  INNER JOIN UNNEST(snapshot_dates) AS snapshot_date
    ON order_date BETWEEN DATE_SUB(snapshot_date, INTERVAL 89 DAY) AND snapshot_date
  WHERE
    order_date >= DATE_SUB(ARRAY_FIRST(snapshot_dates), INTERVAL 89 DAY)
    AND order_date <= ARRAY_LAST(snapshot_dates)
  GROUP BY snapshot_date
) AS d ON d.snapshot_date = s.snapshot_date
WHERE s.orders != d.orders OR s.net_sales != d.net_sales;
