-- The newest day of each city's forecast, for applications.
-- From gold.weather_daily.
-- One row a city, however long the history: what applications show is small and bounded.
SELECT
  city,
  forecast_date,
  hours,
  coldest,
  mean_temperature,
  warmest,
  precipitation,
  strongest_wind
-- full scan: the newest day of a city may lie in any partition.
FROM `{{ gold }}.weather_daily`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY city ORDER BY forecast_date DESC) = 1
