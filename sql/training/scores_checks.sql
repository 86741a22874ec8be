-- Notes what was found of a day's customers before they are scored.
-- From the scoring job's report and sql/training/scored_day.sql.
-- A finding that fails keeps the scores from being published.
{% set noted %}
product = {{ product | literal }} AND run = {{ run | literal }} AND step = 'score'
{%- endset %}
-- All products share the table, and BigQuery lets few statements at once change rows of one: see checks.sql.
IF EXISTS (SELECT 1 FROM `{{ ops }}.checks` WHERE {{ noted }}) THEN
  DELETE FROM `{{ ops }}.checks` WHERE {{ noted }};
END IF;
INSERT INTO `{{ ops }}.checks` (product, run, step, name, severity, passed, detail, offending)
VALUES
{% for finding in findings %}
  ({{ product | literal }}, {{ run | literal }}, 'score', {{ finding.name | literal }}, {{ finding.severity | literal }}, {{ finding.passed | literal }}, {{ finding.detail | literal }}, []){{ "," if not loop.last else ";" }}
{% endfor %}
