-- Closes an incident that is over.
-- From what a run found.
-- Its row stays, for whoever asks how often and for how long.
UPDATE `{{ ops }}.incidents`
SET closed_at = CURRENT_TIMESTAMP()
WHERE product = {{ product | literal }} AND incident = {{ incident | literal }} AND closed_at IS NULL
