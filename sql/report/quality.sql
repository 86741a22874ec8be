-- What a product's runs have read so far.
-- From ops.runs.
-- A replay reads rows again that an earlier run has counted as rejected: what it brought is rejected no more.
-- Always one row: zeros before the first run, so that the page can say so.
SELECT
  COUNT(*) AS runs,
  COALESCE(SUM(IF(replayed, 0, files)), 0) AS files,
  COALESCE(SUM(IF(replayed, 0, rows_read)), 0) AS rows_read,
  COALESCE(SUM(rows_valid), 0) AS rows_valid,
  COALESCE(SUM(IF(replayed, rows_rejected - rows_read, rows_rejected)), 0) AS rows_rejected,
  COALESCE(SUM(rows_duplicate), 0) AS rows_duplicate
FROM `{{ ops }}.runs`
WHERE product = @product
