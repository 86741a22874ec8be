-- The versions of files that have rows of a span of business dates, or were rejected whole, so that nobody knows.
-- From the newest version of each file in the ledger.
-- Today's contract may see other rows in them than the one that they were held to.
WITH
  newest AS (
    SELECT
      uri,
      generation,
      state,
      EXISTS (
        SELECT 1
        FROM UNNEST(dates) AS partition_date
        WHERE partition_date BETWEEN {{ first | literal }} AND {{ last | literal }}
      ) AS has_rows
    FROM `{{ ops }}.files`
    WHERE product = {{ product | literal }}
    QUALIFY ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1
  )
SELECT uri, generation, has_rows
FROM newest
WHERE has_rows OR state = 'rejected'
ORDER BY uri
