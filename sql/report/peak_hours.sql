-- Orders of the page's period by weekday (0 is Monday) and hour.
-- From gold.peak_hours.
-- A heat map has 168 cells whatever the period's length.
SELECT
  MOD(EXTRACT(DAYOFWEEK FROM order_date) + 5, 7) AS weekday,
  order_hour,
  SUM(orders) AS orders
FROM `{{ gold }}.peak_hours`
WHERE order_date BETWEEN @since AND @until
GROUP BY weekday, order_hour
ORDER BY weekday, order_hour
