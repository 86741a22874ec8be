-- #fail one_row_a_city_and_date: a city has one row a day
SELECT city, forecast_date
FROM `{{ build }}`
GROUP BY city, forecast_date
HAVING COUNT(*) > 1;

-- #fail no_more_than_a_day: a day has 24 hours at most
SELECT city, forecast_date
FROM `{{ build }}`
WHERE hours > 24;

-- #warn whole_days: a day has all of its hours
SELECT city, forecast_date
FROM `{{ build }}`
WHERE hours < 24;
