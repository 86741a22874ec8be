-- The datasets among those asked for that have been published, each with a fingerprint of what it holds.
-- From runs.
-- The fingerprint becomes part of a run's identity: against other references, the same files are other work.
SELECT product AS dataset, TO_HEX(SHA256(STRING_AGG(run, ',' ORDER BY run))) AS fingerprint
FROM `{{ ops }}.runs`
WHERE product IN UNNEST(ARRAY<STRING>{{ datasets | literal }})
GROUP BY product
ORDER BY product
