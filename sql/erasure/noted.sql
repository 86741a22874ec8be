-- The erasures that a product has had.
-- From their notes.
-- Each has deleted what the jobs of runs before it had left: their work is to be done anew, under other names.
SELECT run
FROM `{{ ops }}.erasures`
WHERE product = {{ product | literal }}
ORDER BY run
