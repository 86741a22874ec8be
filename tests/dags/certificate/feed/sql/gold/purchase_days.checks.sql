-- #fail one_row_a_date: a date has one row
SELECT purchase_date
FROM `{{ build }}`
GROUP BY purchase_date
HAVING COUNT(*) > 1;
