-- Rejected rows in whose text a person's value stands by itself, with the format and the header of their file.
-- From quarantine and the ledger.
-- They are read by whoever asks, for only the file's layout tells whose they are.
SELECT DISTINCT
  q.source_file AS uri,
  COALESCE(f.format, 'csv') AS format,
  COALESCE(f.header, '') AS header,
  q.raw,
  -- A line's fields tell nothing then; a row of Parquet is told by the column.
  COALESCE(f.format, 'csv') != 'parquet'
  AND EXISTS (SELECT 1 FROM UNNEST(q.reasons) AS reason WHERE reason.rule = 'encoding') AS is_broken
FROM `{{ quarantine }}.{{ product }}` AS q
LEFT JOIN `{{ ops }}.files` AS f
  ON f.product = {{ product | literal }} AND f.uri = q.source_file AND f.generation = q.source_generation
WHERE REGEXP_CONTAINS(q.raw, {{ pattern | literal }})
