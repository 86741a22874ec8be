-- Notes an incident: opens it, or brings the open one of its cause up to date.
-- From what a run found.
-- One statement, so that two runs leave one open incident of a cause.
MERGE `{{ ops }}.incidents` AS i
USING (SELECT {{ product | literal }} AS product, {{ incident | literal }} AS incident) AS found
ON i.product = found.product AND i.incident = found.incident AND i.closed_at IS NULL
WHEN MATCHED THEN
  UPDATE SET
    told_on = {{ told_on | literal }},
    run = {{ run | literal }},
    offending_rows = {{ rows | literal }},
    detail = {{ detail | literal }},
    command = {{ command | literal }}
WHEN NOT MATCHED THEN
  INSERT (product, incident, opened_at, told_on, run, offending_rows, detail, command)
  VALUES (
    {{ product | literal }},
    {{ incident | literal }},
    CURRENT_TIMESTAMP(),
    {{ told_on | literal }},
    {{ run | literal }},
    {{ rows | literal }},
    {{ detail | literal }},
    {{ command | literal }}
  )
