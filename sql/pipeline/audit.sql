-- Audits a run before anything of it is published; fails when one check does.
-- From the run's staging tables, and ops.runs.
-- The ledger's counts were taken as files were read, the staged ones as rows were loaded: they must agree.
-- Files that were rejected as a whole are told of, and stop nobody.
-- A replay reads rejected rows alone: no ratio is asked of it, but that it read exactly the rows that were selected.
{% set noted %}
product = {{ product | literal }} AND run = {{ run | literal }} AND step = 'audit'
{%- endset %}
-- All products share the table, and BigQuery lets few statements at once change rows of one: see checks.sql.
IF EXISTS (SELECT 1 FROM `{{ ops }}.checks` WHERE {{ noted }}) THEN
  DELETE FROM `{{ ops }}.checks` WHERE {{ noted }};
END IF;

INSERT INTO `{{ ops }}.checks` (product, run, step, name, severity, passed, detail)
WITH
  ledger AS (
    SELECT
      COUNT(*) AS files,
      COALESCE(SUM(rows_read), 0) AS rows_read,
      COALESCE(SUM(rows_rejected), 0) AS rows_rejected,
      COUNTIF(rows_read != rows_valid + rows_rejected + rows_duplicate) AS unbalanced,
      COUNTIF(state = 'rejected') AS unusable
    FROM `{{ staging }}.{{ table }}__files`
  ),
  staged AS (
    SELECT
      source_file,
      source_generation,
      COUNTIF(status = 'valid') AS rows_valid,
      COUNTIF(status = 'rejected') AS rows_rejected,
      COUNTIF(status = 'duplicate') AS rows_duplicate
    FROM `{{ staging }}.{{ table }}`
    GROUP BY source_file, source_generation
  ),
  compared AS (
    SELECT
      COUNTIF(
        COALESCE(f.rows_valid, 0) != COALESCE(s.rows_valid, 0)
        OR COALESCE(f.rows_rejected, 0) != COALESCE(s.rows_rejected, 0)
        OR COALESCE(f.rows_duplicate, 0) != COALESCE(s.rows_duplicate, 0)
      ) AS differing
    FROM `{{ staging }}.{{ table }}__files` AS f
    FULL JOIN staged AS s ON s.source_file = f.uri AND s.source_generation = f.generation
  ),
  keyed AS (
    SELECT COUNT(*) AS repeated
    FROM (
      SELECT {{ contract.key | join(', ') }}
      FROM `{{ staging }}.{{ table }}`
      WHERE status = 'valid'
      GROUP BY {{ contract.key | join(', ') }}
      HAVING COUNT(*) > 1
    )
  ),
  published AS (
    SELECT identity
    FROM `{{ ops }}.runs`
    WHERE product = {{ product | literal }} AND identity != {{ contract.identity | literal }}
    LIMIT 1
  ),
  incomplete AS (
    SELECT COUNT(*) AS missing
    FROM `{{ staging }}.{{ table }}`
    WHERE
      status = 'valid'
      AND (
        {% for column in contract.stored_columns if column.required %}
        {{ column.name }} IS NULL{{ '' if loop.last else ' OR' }}
        {% endfor %}
      )
  ),
  dated AS (
    SELECT COUNT(DISTINCT {{ partition_by }}) AS dates
    FROM `{{ staging }}.{{ table }}`
    WHERE status != 'rejected'
  ),
  drifted AS (
    SELECT STRING_AGG(DISTINCT name, ', ' ORDER BY name) AS names
    FROM `{{ staging }}.{{ table }}__files`
    CROSS JOIN UNNEST(new_columns) AS name
  ),
  {% if replay %}
  replayed AS (
    SELECT
      COUNT(*) AS found,
      SUM(CAST(FARM_FINGERPRINT(CONCAT(source_file, '#', CAST(source_generation AS STRING), '#', raw)) AS BIGNUMERIC)) AS fingerprint
    FROM `{{ staging }}.{{ table }}`
  ),
  {% endif %}
  checks AS (
    SELECT
      'files' AS name,
      files = {{ files }} AS passed,
      FORMAT('%d files in the manifest, %d in the ledger', {{ files }}, files) AS detail
    FROM ledger
    UNION ALL
    SELECT
      'accounting' AS name,
      unbalanced = 0 AS passed,
      FORMAT('%d files with read != valid + rejected + duplicate', unbalanced) AS detail
    FROM ledger
    UNION ALL
    SELECT
      'unusable_files' AS name,
      unusable = 0 AS passed,
      FORMAT('%d files rejected as a whole, of which silver keeps what older versions brought', unusable) AS detail
    FROM ledger
    UNION ALL
    SELECT
      'staged_rows' AS name,
      differing = 0 AS passed,
      FORMAT('%d files whose staged rows differ from the ledger', differing) AS detail
    FROM compared
    UNION ALL
    SELECT
      'unique_key' AS name,
      repeated = 0 AS passed,
      FORMAT('%d keys with more than one valid row', repeated) AS detail
    FROM keyed
    UNION ALL
    SELECT
      'same_key' AS name,
      COUNT(*) = 0 AS passed,
      FORMAT(
        'expected the key by which silver knows its rows, %s, got %s',
        COALESCE(MAX(identity), {{ contract.identity | literal }}), {{ contract.identity | literal }}
      ) AS detail
    FROM published
    UNION ALL
    SELECT
      'required' AS name,
      missing = 0 AS passed,
      FORMAT('%d valid rows without a required value', missing) AS detail
    FROM incomplete
    UNION ALL
    SELECT
      'business_dates' AS name,
      dates <= {{ max_dates }} AS passed,
      FORMAT('%d business dates in one run, of which BigQuery takes {{ max_dates }}: land the files in parts', dates) AS detail
    FROM dated
    UNION ALL
    SELECT
      'drift' AS name,
      {{ 'names IS NULL' if contract.new_columns == 'fail' else 'TRUE' }} AS passed,
      FORMAT('columns beyond the contract: %s', COALESCE(names, 'none')) AS detail
    FROM drifted
    UNION ALL
    {% if replay %}
    SELECT
      'replayed_rows' AS name,
      COALESCE(found = {{ replay.rows }} AND fingerprint = BIGNUMERIC {{ replay.fingerprint | literal }}, FALSE) AS passed,
      FORMAT('%d rows selected from quarantine, %d read, which must be the same', {{ replay.rows }}, found) AS detail
    FROM replayed
    {% else %}
    SELECT
      'rejected_ratio' AS name,
      rows_rejected <= {{ max_rejected_ratio }} * rows_read AS passed,
      FORMAT(
        '%d of %d rows rejected, at most {{ max_rejected_ratio }} of them allowed', rows_rejected, rows_read
      ) AS detail
    FROM ledger
    {% endif %}
  )
SELECT
  {{ product | literal }}, {{ run | literal }}, 'audit', name, IF(name = 'unusable_files', 'warn', 'fail'), passed, detail
FROM checks;

SELECT
  IF(
    COUNTIF(NOT passed) > 0,
    ERROR(CONCAT('audit failed, nothing published: ', STRING_AGG(IF(passed, NULL, CONCAT(name, ': ', detail)), '; '))),
    'passed'
  ) AS audit
FROM `{{ ops }}.checks`
WHERE {{ noted }} AND severity = 'fail';
