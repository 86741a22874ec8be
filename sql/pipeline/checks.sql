-- Holds the new version of {{ table }} to its checks, keeps what they found, and ends the script where one fails.
-- From the version built aside, by the checks beside the table's SELECT.
-- Part of scripts that show a table only once it has passed.
-- All products share the table of what was found, and BigQuery lets few statements at once change rows of one: only a try
-- before this one leaves something to delete.
{% set noted %}
product = {{ product | literal }} AND run = {{ run | literal }} AND step = {{ step | literal }} AND STARTS_WITH(name, {{ (table ~ '.') | literal }})
{%- endset %}
IF EXISTS (SELECT 1 FROM `{{ ops }}.checks` WHERE {{ noted }}) THEN
  DELETE FROM `{{ ops }}.checks` WHERE {{ noted }};
END IF;

{% if checks %}
INSERT INTO `{{ ops }}.checks` (product, run, step, name, severity, passed, detail, offending)
{% for check in checks %}
{{ 'UNION ALL' if not loop.first }}
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
) AS found
{% endfor %};

{% endif %}
SELECT
  IF(
    COUNT(*) > 0,
    ERROR(CONCAT('{{ table }} failed its checks and stays as it was: ', STRING_AGG(CONCAT(name, ': ', detail), '; '))),
    'passed'
  ) AS checks
FROM `{{ ops }}.checks`
WHERE {{ noted }} AND severity = 'fail' AND NOT passed;
