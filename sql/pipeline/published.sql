-- Whether a run has been published: one row where it has.
-- From ops.runs.
-- A task that goes on after it was put off, or tried again after its worker was lost, must not tell of its work anew.
SELECT published_at
FROM `{{ ops }}.runs`
WHERE product = {{ product | literal }} AND run = {{ run | literal }}
