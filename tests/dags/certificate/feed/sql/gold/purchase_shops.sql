-- Purchases of each shop, of all dates.
-- From silver.purchases.
-- Rebuilt as a whole.
SELECT
  shop,
  COUNT(*) AS purchases,
  SUM(amount) AS amount
FROM `{{ silver }}.purchases`
WHERE purchase_date >= DATE '0001-01-01'
GROUP BY shop
