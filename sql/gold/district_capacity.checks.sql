-- #fail one_row_a_district: a district has one row
SELECT district
FROM `{{ build }}`
GROUP BY district
HAVING COUNT(*) > 1;

-- #warn out_of_service: half of a district's stations or more are closed
SELECT district
FROM `{{ build }}`
WHERE active_stations * 2 <= stations;
