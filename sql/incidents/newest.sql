-- The newest business date that a product's runs have changed.
-- From ops.touched_partitions.
-- An alert looks at that partition alone; BigQuery would not prune by a subquery, so its date is asked for first.
SELECT MAX(partition_date) AS newest
FROM `{{ ops }}.touched_partitions`
WHERE product = {{ product | literal }}
