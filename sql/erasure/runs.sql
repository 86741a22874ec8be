-- The runs of a product that were published.
-- From runs.
-- The rows that their jobs have left in the lake have served.
SELECT run
FROM `{{ ops }}.runs`
WHERE product = {{ product | literal }}
