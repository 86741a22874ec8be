-- What the shown version of customer_daily was made of: each partition of silver, the runs that changed it, and the
-- SELECT of gold by which the table shows them.
-- From the notes of publish and of gold's refreshes.
-- Only runs that passed their audits and gold's checks are noted.
SELECT TO_HEX(SHA256(STRING_AGG(line, '\n' ORDER BY line))) AS fingerprint, COUNT(DISTINCT partition_date) AS partitions
FROM (
  SELECT DISTINCT
    t.partition_date,
    CONCAT(CAST(t.partition_date AS STRING), ' ', t.product, ' ', t.run, ' ', f.definition) AS line
  FROM `{{ ops }}.touched_partitions` AS t
  INNER JOIN `{{ ops }}.refreshes` AS f
    ON f.product = t.product AND f.run = t.run
  WHERE f.table_name = 'customer_daily'
)
