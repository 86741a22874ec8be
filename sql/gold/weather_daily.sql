-- The forecast of each day in each city.
-- From silver.weather.
-- A day is UTC's, so that it has 24 hours in every city.
SELECT
  city,
  forecast_date,
  COUNT(*) AS hours,
  MIN(temperature) AS coldest,
  ROUND(AVG(temperature), 2) AS mean_temperature,
  MAX(temperature) AS warmest,
  SUM(precipitation) AS precipitation,
  MAX(wind_speed) AS strongest_wind
FROM `{{ silver }}.weather`
WHERE forecast_date IN UNNEST(touched)
GROUP BY city, forecast_date
