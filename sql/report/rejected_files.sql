-- The newest twenty files that are rejected as a whole, why, and how many there are in all.
-- From the newest version of each file in ops.files, and ops.runs.
-- A file that was mended and sent again is a newer version: it is no longer owed and not listed.
WITH
  newest AS (
    SELECT uri, run, state, reason
    FROM `{{ ops }}.files`
    WHERE product = @product
    QUALIFY ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1
  )
SELECT
  f.uri,
  f.reason,
  r.published_at AS rejected_at,
  COUNT(*) OVER () AS files_rejected
FROM newest AS f
INNER JOIN `{{ ops }}.runs` AS r
  ON r.product = @product AND r.run = f.run
WHERE f.state = 'rejected'
ORDER BY rejected_at DESC, f.uri
LIMIT 20
