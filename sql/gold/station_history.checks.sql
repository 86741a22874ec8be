-- #fail one_current_version: a station is one thing now
SELECT station_id
FROM `{{ build }}`
GROUP BY station_id
HAVING COUNTIF(is_current) != 1;

-- #fail one_version_at_a_time: a version begins once, and before it ends
SELECT station_id, valid_from
FROM `{{ build }}`
GROUP BY station_id, valid_from
HAVING COUNT(*) > 1 OR LOGICAL_OR(valid_to <= valid_from);
