-- #fail one_row_a_city: a city has one row
SELECT city
FROM `{{ build }}`
GROUP BY city
HAVING COUNT(*) > 1
