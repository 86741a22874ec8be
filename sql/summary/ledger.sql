-- The files that a product has processed, each in its newest version, rejected ones first.
-- From the ledger.
-- Each says how many rows it brought and what became of them.
SELECT uri, generation, run, state, reason, rows_read, rows_valid, rows_rejected, rows_duplicate
FROM `{{ ops }}.files`
WHERE product = {{ product | literal }}
QUALIFY ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1
ORDER BY state DESC, uri, generation
