-- Purchases of each business date.
-- From silver.purchases.
-- Rebuilt for the dates that a run touched.
SELECT
  purchase_date,
  COUNT(*) AS purchases,
  COUNT(DISTINCT email) AS customers,
  SUM(amount) AS amount
FROM `{{ silver }}.purchases`
WHERE purchase_date IN UNNEST(touched)
GROUP BY purchase_date
