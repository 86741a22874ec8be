-- The ten agents that sold the most in the page's period, their share of all sales, and how many agents sold.
-- From gold.agent_performance.
-- Shares are of the whole period: the mean of a day's shares would count a quiet day as much as a busy one.
WITH
  agents AS (
    SELECT
      agent_id,
      SUM(orders) AS orders,
      SUM(net_sales) AS net_sales
    FROM `{{ gold }}.agent_performance`
    WHERE order_date BETWEEN @since AND @until
    GROUP BY agent_id
  )
SELECT
  agent_id,
  orders,
  net_sales,
  COALESCE(SAFE_DIVIDE(CAST(net_sales AS FLOAT64), CAST(SUM(net_sales) OVER () AS FLOAT64)), 0.0) AS share,
  COUNT(*) OVER () AS agents
FROM agents
ORDER BY net_sales DESC, agent_id
LIMIT 10
