-- What each agent (store) sold each business date, and its share of that date.
-- From silver.customer_transactions.
-- A date is rebuilt as a whole, so that the shares of a date always add up to one.
WITH
  sales AS (
    SELECT
      agent_id,
      order_date,
      COUNT(DISTINCT order_id) AS orders,
      COUNT(DISTINCT customer_id) AS customers,
      SUM(net_sales) AS net_sales
    FROM `{{ silver }}.customer_transactions`
    WHERE order_date IN UNNEST(touched)
    GROUP BY agent_id, order_date
  )
SELECT
  agent_id,
  order_date,
  orders,
  customers,
  net_sales,
  ROUND(net_sales / orders, 6) AS average_order_value,
  SAFE_DIVIDE(
    CAST(net_sales AS FLOAT64), CAST(SUM(net_sales) OVER (PARTITION BY order_date) AS FLOAT64)
  ) AS share_of_day
FROM sales
