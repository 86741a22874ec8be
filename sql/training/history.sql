-- The span of dates that gold.customer_daily covers, what it was made of, and the published runs that it does not show.
-- From gold.customer_daily, its refreshes, and the runs and touched partitions of the products behind it.
-- The span begins after the last 90 days without an order, be they a wrong date's or a closed shop's: a snapshot within
-- them has no customers. A run that the table does not show has failed gold's checks or is still to be refreshed: a
-- snapshot would miss its rows.
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
  ),
  dates AS (
    SELECT order_date, DATE_DIFF(order_date, LAG(order_date) OVER (ORDER BY order_date), DAY) AS days_since
    -- full scan: of one small column, which has to be read to know how far it goes.
    FROM (SELECT DISTINCT order_date FROM `{{ gold }}.customer_daily`)
  )
SELECT
  MAX(IF(days_since IS NULL OR days_since > 90, order_date, NULL)) AS first_date,
  MAX(order_date) AS last_date,
  (SELECT fingerprint FROM provenance) AS fingerprint,
  (SELECT partitions FROM provenance) AS partitions,
  (SELECT STRING_AGG(run, ', ' ORDER BY run LIMIT 10) FROM owed) AS owed
FROM dates
