-- Rejected rows in whose text each value of a key stands by itself, and the rules that they broke.
-- From quarantine.
-- A row that breaks its contract may have no key to go by, so its text decides.
SELECT
  source_file,
  source_generation,
  run,
  contract_version,
  ARRAY_TO_STRING(
    ARRAY(
      SELECT CONCAT(reason.column, ': ', reason.rule, ', got ', COALESCE(reason.value, 'nothing'))
      FROM UNNEST(reasons) AS reason
    ),
    '; '
  ) AS reasons,
  resolved_by
FROM `{{ quarantine }}.{{ product }}`
WHERE
  {% for pattern in patterns %}
  {{ '' if loop.first else 'AND ' }}REGEXP_CONTAINS(raw, {{ pattern | literal }})
  {% endfor %}
ORDER BY source_file, source_generation
