-- The newest ten runs of a product, newest first.
-- From ops.runs.
-- Readers want to know how fresh a page is, and whether the last runs looked like those before.
SELECT
  run,
  contract_version,
  files,
  rows_read,
  rows_valid,
  rows_rejected,
  rows_duplicate,
  published_at
FROM `{{ ops }}.runs`
WHERE product = @product
ORDER BY published_at DESC, run
LIMIT 10
