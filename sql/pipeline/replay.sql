{#- The rejected rows that a replay takes up: their files, counts and fingerprints; or, given a URI, themselves.
    From quarantine and the ledger.
    Of a row that was not UTF-8, raw is not what its file says, and no contract makes it so.
    Rows that a replay has brought before are not taken up again. The audit computes the fingerprint anew.
    A number is a string in BigQuery's JSON; made one here, it is the same everywhere. -#}
{% if uri %}
EXPORT DATA OPTIONS (uri = {{ uri | literal }}, format = 'JSON') AS
{% endif %}
WITH
  selected AS (
    SELECT
      source_file,
      source_generation,
      raw,
      NOT EXISTS (SELECT 1 FROM UNNEST(reasons) AS reason WHERE reason.rule = 'encoding') AS is_utf8
    FROM `{{ quarantine }}.{{ product }}`
    WHERE
      resolved_by IS NULL
      AND (
        {{ where }}
      )
  ),
  files AS (
    SELECT
      source_file,
      source_generation,
      COUNT(*) AS selected_rows,
      SUM(CAST(FARM_FINGERPRINT(CONCAT(source_file, '#', CAST(source_generation AS STRING), '#', raw)) AS BIGNUMERIC)) AS fingerprint,
      ROW_NUMBER() OVER (ORDER BY source_file, source_generation) - 1 AS file
    FROM selected
    GROUP BY source_file, source_generation
  )
{% if uri %}
SELECT CAST(f.file AS STRING) AS file, s.raw, s.is_utf8
FROM selected AS s
INNER JOIN files AS f ON f.source_file = s.source_file AND f.source_generation = s.source_generation
{% else %}
SELECT
  f.source_file AS uri,
  f.source_generation AS generation,
  l.size,
  l.checksum,
  l.format,
  l.header,
  f.selected_rows,
  f.fingerprint
FROM files AS f
LEFT JOIN `{{ ops }}.files` AS l
  ON l.product = {{ product | literal }} AND l.uri = f.source_file AND l.generation = f.source_generation
ORDER BY f.file
{% endif %}
