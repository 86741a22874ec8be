-- #fail one_row_an_hour: an hour of a business date has one row
SELECT order_date, order_hour
FROM `{{ build }}`
GROUP BY order_date, order_hour
HAVING COUNT(*) > 1;

-- #fail hours_of_a_day: an hour is one of 0 to 23
SELECT order_date, order_hour
FROM `{{ build }}`
WHERE order_hour NOT BETWEEN 0 AND 23;

-- #warn at_night: a third of a date's orders or more between midnight and five, as of clocks in another timezone
SELECT order_date
FROM `{{ build }}`
GROUP BY order_date
HAVING SUM(IF(order_hour < 5, orders, 0)) * 3 >= SUM(orders);
