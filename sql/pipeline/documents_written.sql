-- Notes what was written to Firestore, and forgets what was deleted there.
-- From the changes that documents.sql has built aside.
-- Run once everything is written.
MERGE `{{ ops }}.documents` AS noted
USING `{{ staging }}.{{ build }}` AS changed
  ON noted.product = {{ product | literal }} AND noted.collection = changed.collection__ AND noted.document = changed.document__
WHEN MATCHED AND changed.gone__ THEN
  DELETE
WHEN MATCHED THEN
  UPDATE SET fingerprint = changed.fingerprint__, written_at = CURRENT_TIMESTAMP();

DROP TABLE `{{ staging }}.{{ build }}`;
