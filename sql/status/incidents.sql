-- What is wrong now, oldest first.
-- From ops.incidents.
-- Each brings the query that shows more, or the command to try again.
SELECT
  product,
  incident,
  opened_at,
  offending_rows,
  detail,
  command
FROM `{{ ops }}.incidents`
WHERE closed_at IS NULL
ORDER BY opened_at, product, incident
