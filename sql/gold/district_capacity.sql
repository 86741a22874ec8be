-- Stations and docks of each district as they are now.
-- From gold.station_history.
-- Docks of a closed station can't be used; a retired station is gone.
SELECT
  district,
  COUNT(*) AS stations,
  COUNTIF(state = 'active') AS active_stations,
  SUM(docks) AS docks,
  SUM(IF(state = 'active', docks, 0)) AS active_docks
FROM `{{ gold }}.station_history`
WHERE is_current AND state != 'retired'
GROUP BY district
