-- How many customers each segment has, and what they have spent, the biggest spenders first.
-- From gold.customer_segments.
-- The table is as of its snapshot date and holds every customer: no period bounds it.
SELECT
  segment,
  COUNT(*) AS customers,
  SUM(monetary) AS monetary
FROM `{{ gold }}.customer_segments`
GROUP BY segment
ORDER BY monetary DESC, segment
