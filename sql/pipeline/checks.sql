-- Holds the new version of {{ table }} to its checks, keeps what they found, and ends the script where one fails.
-- From the version built aside, by the checks beside the table's SELECT.
-- Part of scripts that show a table only once it has passed.
DELETE FROM `{{ ops }}.checks`
WHERE product = {{ product | literal }} AND run = {{ run | literal }} AND step = {{ step | literal }} AND STARTS_WITH(name, {{ (table ~ '.') | literal }});

{% for check in checks %}
INSERT INTO `{{ ops }}.checks` (product, run, step, name, severity, passed, detail, offending)
SELECT
  {{ product | literal }},
  {{ run | literal }},
  {{ step | literal }},
  {{ (table ~ '.' ~ check.name) | literal }},
  {{ check.severity | literal }},
  COUNT(*) = 0,
  FORMAT('%d rows against: %s', COUNT(*), {{ check.sentence | literal }}),
  ARRAY_AGG(TO_JSON_STRING(found) LIMIT 100)
FROM (
{{ check.select | indent(2, first=True) }}
) AS found;

{% endfor %}
SELECT
  IF(
    COUNT(*) > 0,
    ERROR(CONCAT('{{ table }} failed its checks and stays as it was: ', STRING_AGG(CONCAT(name, ': ', detail), '; '))),
    'passed'
  ) AS checks
FROM `{{ ops }}.checks`
WHERE
  product = {{ product | literal }}
  AND run = {{ run | literal }}
  AND step = {{ step | literal }}
  AND STARTS_WITH(name, {{ (table ~ '.') | literal }})
  AND severity = 'fail'
  AND NOT passed;
