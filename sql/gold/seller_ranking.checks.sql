-- #fail one_row_a_seller: a seller has one row
SELECT seller_id
FROM `{{ build }}`
GROUP BY seller_id
HAVING COUNT(*) > 1;

-- #warn dominant: one seller makes over three quarters of all sales
SELECT seller_id
FROM `{{ build }}`
WHERE share > 0.75;
