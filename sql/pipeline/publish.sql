-- Publishes a run: silver, quarantine, ledger and run show it together, or not at all.
-- From the run's staging tables, after the audit.
-- Publishing it again changes nothing. A newer row of a key wins whatever the order of arrival, and wins whole: a
-- column beyond the contract that it doesn't bring is NULL. Rows that lost, and those that say that a key's row was
-- deleted, are kept aside, in <product>__superseded: one of them may be the newest again.
{% macro processed() %}
SELECT s.*, d.dates
    FROM `{{ staging }}.{{ table }}__files` AS s
    LEFT JOIN (
      SELECT source_file, source_generation, ARRAY_AGG(DISTINCT {{ partition_by }}) AS dates
      FROM `{{ staging }}.{{ table }}`
      WHERE status != 'rejected'
      GROUP BY source_file, source_generation
    ) AS d ON d.source_file = s.uri AND d.source_generation = s.generation
{%- endmacro %}
{% from 'pipeline/silver.sql' import bucket, columns, demanded, names, own, places, same_key, shown_and_to_be_shown with context %}
{% from 'pipeline/turn.sql' import take_turn, turn with context %}
{% include 'pipeline/silver_tables.sql' %}

{{ turn(product ~ '__turn') }}

CREATE TABLE IF NOT EXISTS `{{ quarantine }}.{{ product }}` (
  run STRING NOT NULL OPTIONS (description = 'The run that met the row.'),
  source_file STRING NOT NULL OPTIONS (description = 'The object that brought the row.'),
  source_generation INT64 NOT NULL OPTIONS (description = 'The version of that object.'),
  contract_version STRING NOT NULL OPTIONS (description = 'Version of the contract that the row broke.'),
  reasons ARRAY<STRUCT<`column` STRING, rule STRING, value STRING>> OPTIONS (description = 'Every rule that the row broke.'),
  raw STRING NOT NULL OPTIONS (description = 'The row exactly as read.'),
  resolved_by STRING OPTIONS (description = 'The run that brought the row after all, once the contract was mended, or a newer version of its file.')
)
CLUSTER BY source_file, run
OPTIONS (description = {{ ('Rejected rows of ' ~ product ~ '.') | literal }});

BEGIN TRANSACTION;
-- Of two publications of a product at once one is aborted, and finds when it is tried again what the other one did.
{{ take_turn(product ~ '__turn') }}

IF NOT EXISTS (SELECT 1 FROM `{{ ops }}.runs` WHERE product = {{ product | literal }} AND run = {{ run | literal }}) THEN
  {% if replay %}
  -- Since they were selected, another replay may have brought them, their file have come again, or a person been erased.
  SELECT
    IF(
      COUNT(*) > 0,
      ERROR(FORMAT(
        '%d rows of this replay are no longer to be brought, for other runs came first; nothing is published. Next: start the replay again, which selects what is left.',
        COUNT(*)
      )),
      'unresolved'
    ) AS selected
  FROM `{{ staging }}.{{ table }}` AS s
  LEFT JOIN (
    SELECT DISTINCT source_file, source_generation, raw
    FROM `{{ quarantine }}.{{ product }}`
    WHERE resolved_by IS NULL
  ) AS q
    ON q.source_file = s.source_file AND q.source_generation = s.source_generation AND q.raw = s.raw
  WHERE s.status != 'rejected' AND q.raw IS NULL;

  {% endif %}
  {% include 'pipeline/versions.sql' %}

  INSERT INTO `{{ ops }}.touched_partitions` (product, run, partition_date)
  WITH
    {{ shown_and_to_be_shown() }},
    changes AS (
      (SELECT * FROM shown EXCEPT DISTINCT SELECT * FROM to_be_shown)
      UNION ALL
      (SELECT * FROM to_be_shown EXCEPT DISTINCT SELECT * FROM shown)
    )
  SELECT DISTINCT {{ product | literal }}, {{ run | literal }}, {{ partition_by }}
  FROM changes;

  DELETE FROM `{{ silver }}.{{ product }}` AS t
  WHERE
    {{ partition_by }} IN UNNEST(version_dates)
    AND key_hash IN (SELECT key_hash FROM {{ table }}__keys)
    AND NOT EXISTS (
      SELECT 1
      FROM {{ table }}__versions AS v
      WHERE v.place__ = {{ product | literal }} AND v.shown__ AND {{ same_key('t', 'v') }}
    );

  INSERT INTO `{{ silver }}.{{ product }}` ({{ names(columns) }}, run)
  SELECT {{ names(columns) }}, run
  FROM {{ table }}__versions
  WHERE shown__ AND place__ != {{ product | literal }};

  DELETE FROM `{{ silver }}.{{ product }}__superseded`
  WHERE {{ partition_by }} IN UNNEST(version_dates) AND key_hash IN (SELECT key_hash FROM {{ table }}__keys);

  INSERT INTO `{{ silver }}.{{ product }}__superseded` ({{ names(columns) }}, run)
  SELECT {{ names(columns) }}, run
  FROM {{ table }}__versions
  WHERE NOT shown__;

  INSERT INTO `{{ silver }}.{{ product }}__keys` (bucket, key_hash, partition_date)
  SELECT {{ bucket }}, key_hash, {{ partition_by }}
  FROM {{ table }}__versions
  EXCEPT DISTINCT
  SELECT bucket, key_hash, partition_date
  FROM `{{ silver }}.{{ product }}__keys`
  WHERE bucket IN UNNEST(buckets);

  {% if replay %}
  UPDATE `{{ quarantine }}.{{ product }}` AS q
  SET resolved_by = {{ run | literal }}
  WHERE
    q.resolved_by IS NULL
    AND EXISTS (
      SELECT 1
      FROM `{{ staging }}.{{ table }}` AS s
      WHERE
        s.status != 'rejected'
        AND s.source_file = q.source_file
        AND s.source_generation = q.source_generation
        AND s.raw = q.raw
    );

  UPDATE `{{ ops }}.files` AS f
  SET
    rows_valid = f.rows_valid + n.rows_valid,
    rows_rejected = f.rows_rejected - n.rows_valid - n.rows_duplicate,
    rows_duplicate = f.rows_duplicate + n.rows_duplicate,
    dates = ARRAY(SELECT DISTINCT partition_date FROM UNNEST(ARRAY_CONCAT(COALESCE(f.dates, []), COALESCE(n.dates, []))) AS partition_date)
  FROM (
    {{ processed() }}
  ) AS n
  WHERE f.product = {{ product | literal }} AND f.uri = n.uri AND f.generation = n.generation;
  {% else %}
  -- Quarantine is read as a whole by what mends it: only files that came before have anything there.
  IF EXISTS (
    SELECT 1
    FROM `{{ ops }}.files` AS f
    INNER JOIN `{{ staging }}.{{ table }}__files` AS s ON s.uri = f.uri
    WHERE f.product = {{ product | literal }}
  ) THEN
    -- Of a file that came again, what its older version left here is no longer to be mended.
    UPDATE `{{ quarantine }}.{{ product }}`
    SET resolved_by = {{ run | literal }}
    WHERE resolved_by IS NULL AND source_file IN (SELECT uri FROM {{ table }}__accepted);
  END IF;

  INSERT INTO `{{ quarantine }}.{{ product }}` (run, source_file, source_generation, contract_version, reasons, raw)
  SELECT {{ run | literal }}, s.source_file, s.source_generation, {{ contract.version | literal }}, s.reasons, s.raw
  FROM `{{ staging }}.{{ table }}` AS s
  INNER JOIN {{ table }}__accepted AS a ON a.uri = s.source_file AND a.generation = s.source_generation
  WHERE s.status = 'rejected';

  {% if not fresh %}
  -- A file that is rejected as a whole by now leaves in silver what it brought, at the dates that are known.
  UPDATE `{{ ops }}.files` AS f
  SET
    run = {{ run | literal }}, state = n.state, reason = n.reason, rows_read = n.rows_read, rows_valid = n.rows_valid,
    rows_rejected = n.rows_rejected, rows_duplicate = n.rows_duplicate, format = n.format, header = n.header,
    dates = COALESCE(n.dates, f.dates)
  FROM (
    {{ processed() }}
  ) AS n
  WHERE f.product = {{ product | literal }} AND f.uri = n.uri AND f.generation = n.generation;

  {% endif %}
  -- Products that only add lines to the ledger are in nobody's way.
  INSERT INTO `{{ ops }}.files` (
    product, uri, generation, size, checksum, run, state, reason, rows_read, rows_valid, rows_rejected, rows_duplicate,
    format, header, dates
  )
  SELECT
    {{ product | literal }}, n.uri, n.generation, n.size, n.checksum, {{ run | literal }}, n.state, n.reason,
    n.rows_read, n.rows_valid, n.rows_rejected, n.rows_duplicate, n.format, n.header, n.dates
  FROM (
    {{ processed() }}
  ) AS n
  LEFT JOIN `{{ ops }}.files` AS f
    ON f.product = {{ product | literal }} AND f.uri = n.uri AND f.generation = n.generation
  WHERE f.uri IS NULL;
  {% endif %}

  INSERT INTO `{{ ops }}.runs` (
    product, run, contract_version, release, files, rows_read, rows_valid, rows_rejected, rows_duplicate, published_at,
    replayed, identity
  )
  SELECT
    {{ product | literal }}, {{ run | literal }}, {{ contract.version | literal }}, {{ release | literal }},
    COUNT(*), COALESCE(SUM(rows_read), 0), COALESCE(SUM(rows_valid), 0), COALESCE(SUM(rows_rejected), 0),
    COALESCE(SUM(rows_duplicate), 0), CURRENT_TIMESTAMP(), {{ (replay is not none) | literal }}, {{ contract.identity | literal }}
  {% if replay %}
  FROM `{{ staging }}.{{ table }}__files`;
  {% else %}
  FROM `{{ ops }}.files`
  WHERE product = {{ product | literal }} AND run = {{ run | literal }};
  {% endif %}

  {% if left_out %}
  INSERT INTO `{{ ops }}.checks` (product, run, step, name, severity, passed, detail)
  SELECT {{ product | literal }}, {{ run | literal }}, 'publish', 'new_columns', 'warn', FALSE, {{ left_out | literal }};
  {% endif %}

  DROP TABLE {{ table }}__accepted;
  DROP TABLE {{ table }}__keys;
  DROP TABLE {{ table }}__versions;
END IF;

COMMIT TRANSACTION;
