-- Each seller's sales of all time, its rank and its share of the marketplace.
-- From gold.seller_daily.
-- A sale moves everybody's share, so the table is built whole.
WITH
  sellers AS (
    SELECT
      seller_id,
      MIN(order_date) AS first_order_date,
      MAX(order_date) AS last_order_date,
      SUM(orders) AS orders,
      SUM(net_sales) AS net_sales
    -- full scan: sellers are ranked by all that they ever sold.
    FROM `{{ gold }}.seller_daily`
    GROUP BY seller_id
  )
SELECT
  seller_id,
  RANK() OVER (ORDER BY net_sales DESC) AS sales_rank,
  first_order_date,
  last_order_date,
  orders,
  net_sales,
  SAFE_DIVIDE(CAST(net_sales AS FLOAT64), CAST(SUM(net_sales) OVER () AS FLOAT64)) AS share
FROM sellers
