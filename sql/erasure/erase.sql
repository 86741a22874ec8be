-- Takes a person's rows out of silver, the rows that it doesn't show, quarantine, features, scores and checks, at once.
-- From those tables, in the partitions that dates.sql has found, and what found.sql keeps.
-- It is a run without files, whose dates gold still owes; what was done is noted without saying for whom.
{% set all_dates = (dates | map(attribute='partition_date') | list) | literal %}
{% set shown_dates = (dates | selectattr('shown') | map(attribute='partition_date') | list) | literal %}
{% set found = '`' ~ staging ~ '.' ~ found_table ~ '`' %}
{% set their_rejected = 'TO_HEX(MD5(raw)) IN (SELECT rejected FROM ' ~ found ~ ' WHERE rejected IS NOT NULL)' %}
{% set theirs %}
{% include 'erasure/theirs.sql' %}
{% endset %}
IF NOT EXISTS (SELECT 1 FROM `{{ ops }}.erasures` WHERE product = {{ product | literal }} AND run = {{ run | literal }}) THEN
  BEGIN TRANSACTION;

  INSERT INTO `{{ ops }}.erasures` (
    product, run, erased_at, silver_rows, superseded_rows, quarantine_rows, files_rewritten, files_kept, models
  )
  SELECT
    {{ product | literal }},
    {{ run | literal }},
    CURRENT_TIMESTAMP(),
    {% for place in (product, product ~ '__superseded') %}
    (
      SELECT COUNT(*)
      FROM `{{ silver }}.{{ place }}`
      WHERE `{{ partition_by }}` IN UNNEST(ARRAY<DATE>{{ all_dates }}) AND {{ theirs }}
    ),
    {% endfor %}
    (
      SELECT COUNT(*)
      FROM `{{ quarantine }}.{{ product }}`
      WHERE {{ their_rejected }}
    ),
    (SELECT COUNT(*) FROM {{ found }} WHERE generation IS NOT NULL),
    ARRAY(SELECT AS STRUCT uri, reason FROM {{ found }} WHERE reason IS NOT NULL ORDER BY uri),
    ARRAY<STRING>{{ models | literal }};

  INSERT INTO `{{ ops }}.touched_partitions` (product, run, partition_date)
  SELECT {{ product | literal }}, {{ run | literal }}, partition_date
  FROM UNNEST(ARRAY<DATE>{{ shown_dates }}) AS partition_date;

  {% for place in (product, product ~ '__superseded') %}
  DELETE FROM `{{ silver }}.{{ place }}`
  WHERE `{{ partition_by }}` IN UNNEST(ARRAY<DATE>{{ all_dates }}) AND {{ theirs }};

  {% endfor %}
  {% for table in model_tables %}
  -- full scan: a person has features and scores of dates on which they have no rows.
  DELETE FROM `{{ gold }}.{{ table }}`
  WHERE {{ theirs }};

  {% endfor %}
  UPDATE `{{ ops }}.checks`
  SET offending = NULL
  WHERE
    product IN UNNEST({{ checked | literal }})
    AND EXISTS (SELECT 1 FROM UNNEST(offending) AS key WHERE REGEXP_CONTAINS(key, {{ pattern | literal }}));

  DELETE FROM `{{ quarantine }}.{{ product }}`
  WHERE {{ their_rejected }};

  -- A file without the person is known already: nothing in it is new.
  INSERT INTO `{{ ops }}.files` (
    product, uri, generation, size, checksum, run, state, reason, rows_read, rows_valid, rows_rejected, rows_duplicate,
    format, header, dates
  )
  SELECT
    f.product, f.uri, n.generation, n.size, n.checksum, f.run, f.state, f.reason,
    f.rows_read, f.rows_valid, f.rows_rejected, f.rows_duplicate, f.format, f.header, f.dates
  FROM `{{ ops }}.files` AS f
  INNER JOIN {{ found }} AS n
    ON n.uri = f.uri AND n.known = f.generation
  WHERE f.product = {{ product | literal }};

  UPDATE `{{ quarantine }}.{{ product }}` AS q
  SET source_generation = n.generation
  FROM {{ found }} AS n
  WHERE n.uri = q.source_file AND n.known = q.source_generation;

  INSERT INTO `{{ ops }}.runs` (
    product, run, contract_version, release, files, rows_read, rows_valid, rows_rejected, rows_duplicate, published_at
  )
  VALUES (
    {{ product | literal }}, {{ run | literal }}, {{ contract.version | literal }}, {{ release | literal }}, 0, 0, 0, 0, 0,
    CURRENT_TIMESTAMP()
  );

  COMMIT TRANSACTION;
END IF;
