-- The versions of files that a product has processed.
-- From the ledger.
-- What is not here is new, whoever announced it and however often.
SELECT uri, generation
FROM `{{ ops }}.files`
WHERE product = {{ product | literal }}
