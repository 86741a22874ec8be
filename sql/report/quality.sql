-- What a product's runs have read so far, and the newest business date that they published.
-- From ops.runs and ops.touched_partitions.
-- Always one row: zeros and no date before the first run, so that the page can say so.
SELECT
  COUNT(*) AS runs,
  IFNULL(SUM(files), 0) AS files,
  IFNULL(SUM(rows_read), 0) AS rows_read,
  IFNULL(SUM(rows_valid), 0) AS rows_valid,
  IFNULL(SUM(rows_rejected), 0) AS rows_rejected,
  IFNULL(SUM(rows_duplicate), 0) AS rows_duplicate,
  (SELECT MAX(partition_date) FROM `{{ ops }}.touched_partitions` WHERE product = @product) AS newest_date
FROM `{{ ops }}.runs`
WHERE product = @product
