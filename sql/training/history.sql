-- The span of dates that gold.customer_daily covers, and a fingerprint of the runs that it shows.
-- From gold.customer_daily and its refreshes.
-- The fingerprint becomes part of a model version's name: the same data is trained on once.
SELECT
  MIN(order_date) AS first_date,
  MAX(order_date) AS last_date,
  (
    SELECT TO_HEX(SHA256(STRING_AGG(run, ',' ORDER BY run)))
    FROM `{{ ops }}.refreshes`
    WHERE table_name = 'customer_daily'
  ) AS fingerprint
-- full scan: of one small column, which has to be read to know how far it goes.
FROM `{{ gold }}.customer_daily`
