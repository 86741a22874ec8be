-- The span of dates that gold.customer_daily covers, what it was made of, and the published runs that it does not show.
-- From gold.customer_daily, its refreshes, and the runs and touched partitions of the products behind it.
-- A run that it does not show has failed gold's checks or is still to be refreshed: a snapshot would miss its rows.
WITH
  provenance AS (
    {% include 'training/provenance.sql' %}
  ),
  products AS (
    SELECT DISTINCT product
    FROM `{{ ops }}.refreshes`
    WHERE table_name = 'customer_daily'
  ),
  owed AS (
    SELECT r.run
    FROM `{{ ops }}.runs` AS r
    INNER JOIN products
      ON products.product = r.product
    LEFT JOIN `{{ ops }}.refreshes` AS f
      ON f.product = r.product AND f.run = r.run AND f.table_name = 'customer_daily'
    WHERE f.run IS NULL
  )
SELECT
  MIN(order_date) AS first_date,
  MAX(order_date) AS last_date,
  (SELECT fingerprint FROM provenance) AS fingerprint,
  (SELECT partitions FROM provenance) AS partitions,
  (SELECT STRING_AGG(run, ', ' ORDER BY run LIMIT 10) FROM owed) AS owed
-- full scan: of one small column, which has to be read to know how far it goes.
FROM `{{ gold }}.customer_daily`
