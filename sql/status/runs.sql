-- The three newest runs of each product.
-- From ops.runs.
-- Who is on call compares the last run with those before.
SELECT
  product,
  run,
  published_at,
  files,
  rows_read,
  rows_valid,
  rows_rejected,
  rows_duplicate
FROM `{{ ops }}.runs`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY product ORDER BY published_at DESC, run) <= 3
ORDER BY product, published_at DESC, run
