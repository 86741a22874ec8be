-- What a product's files have brought so far.
-- From the newest version of each file in ops.files, and ops.runs.
-- A run counts rows again that it processes again; the ledger counts them once, a replayed row as what it is by now.
-- Always one row: zeros before the first run, so that the page can say so.
SELECT
  (
    SELECT COUNT(*)
    FROM `{{ ops }}.runs`
    WHERE product = @product
  ) AS runs,
  COUNT(*) AS files,
  COALESCE(SUM(rows_read), 0) AS rows_read,
  COALESCE(SUM(rows_valid), 0) AS rows_valid,
  COALESCE(SUM(rows_rejected), 0) AS rows_rejected,
  COALESCE(SUM(rows_duplicate), 0) AS rows_duplicate
FROM (
  SELECT rows_read, rows_valid, rows_rejected, rows_duplicate
  FROM `{{ ops }}.files`
  WHERE product = @product
  QUALIFY ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1
)
