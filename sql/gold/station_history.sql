-- What each station was, from when to when.
-- From silver.bike_stations.
-- A late row ends the version before it and begins one of its own, so a station's whole past may change.
SELECT
  station_id,
  name,
  district,
  docks,
  state,
  updated_at AS valid_from,
  LEAD(updated_at) OVER (PARTITION BY station_id ORDER BY updated_at) AS valid_to,
  LEAD(updated_at) OVER (PARTITION BY station_id ORDER BY updated_at) IS NULL AS is_current
FROM `{{ silver }}.bike_stations`
-- Versions of a station lie in many partitions; BigQuery asks for a filter all the same.
WHERE changed_date >= DATE '0001-01-01'
