-- How many rejected rows of a product broke each rule, most first.
-- From quarantine, without what was replayed or sent again since.
-- A row that broke several rules counts for each of them.
SELECT
  {{ product | literal }} AS product,
  reason.rule,
  reason.column AS column_name,
  COUNT(*) AS rejected
FROM `{{ quarantine }}.{{ product }}`
CROSS JOIN UNNEST(reasons) AS reason
WHERE resolved_by IS NULL
GROUP BY reason.rule, reason.column
ORDER BY rejected DESC, reason.rule, column_name
LIMIT 5
