-- Whether an erasure was done.
-- From its note.
-- Its request is deleted last: where that is gone, this tells a try that comes after from a wrong name.
SELECT erased_at
FROM `{{ ops }}.erasures`
WHERE product = {{ product | literal }} AND run = {{ run | literal }}
