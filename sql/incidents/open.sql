-- The open incidents of a product.
-- From ops.incidents.
-- Whoever tells of something looks first whether it was told already.
SELECT
  incident,
  opened_at,
  told_on,
  offending_rows,
  detail
FROM `{{ ops }}.incidents`
WHERE product = {{ product | literal }} AND closed_at IS NULL
ORDER BY opened_at, incident
