-- What the platform knows of its own work: the ledger of files, runs, touched dates, refreshes, documents, checks, what
-- jobs cost, erasures and incidents; and `status`, the whole at a glance.
-- Made by the deployment, which gives tables that are there the columns that a release brings.
-- No expiry: the ledger is what makes "nothing lost, nothing twice" true years later.
{# Columns that may be NULL: tables that an earlier release made gain those that it did not know. #}
{% set nullable = {
  'files': [
    ('reason', 'STRING', 'Why the file was rejected as a whole.'),
    ('format', 'STRING', 'How the file was read: csv, json or parquet.'),
    ('header', 'STRING', 'By which its rejected rows can be read again: the header line of a CSV file, the schema of a Parquet file.'),
    ('dates', 'ARRAY<DATE>', 'Business dates of its valid and duplicate rows.'),
  ],
  'runs': [
    ('replayed', 'BOOL', 'Whether the rows came from quarantine: an earlier run has counted them as read.'),
    ('identity', 'STRING', 'Columns of the key, with their types, and how they are protected.'),
  ],
  'documents': [
    ('fingerprint', 'STRING', 'Of the row that the document shows; none while it is being written.'),
    ('written_at', 'TIMESTAMP', 'When the document began to show that row.'),
  ],
  'checks': [
    ('offending', 'ARRAY<STRING>', 'Keys of rows that broke it, as JSON, at most 100.'),
  ],
  'jobs': [
    ('started_at', 'TIMESTAMP', 'When BigQuery began it.'),
    ('ended_at', 'TIMESTAMP', 'When it ended.'),
    ('bytes_processed', 'INT64', 'Bytes read, where the service tells.'),
    ('bytes_billed', 'INT64', 'Bytes billed, where the service tells.'),
    ('slot_ms', 'INT64', 'Milliseconds of slots used, where the service tells.'),
  ],
  'erasures': [
    ('files_kept', 'ARRAY<STRUCT<uri STRING, reason STRING>>', 'Files that may still hold the person, and why.'),
    ('models', 'ARRAY<STRING>', 'Versions of the model that learned from the person.'),
  ],
  'incidents': [
    ('told_on', 'DATE', 'Day, in the timezone of the product, of the run for which it was told last; NULL where nobody was.'),
    ('closed_at', 'TIMESTAMP', 'When it was noted to be over; NULL while it is open.'),
    ('offending_rows', 'INT64', 'How many rows it was about then; NULL where it is about none.'),
  ],
} %}
{% macro columns(table) %}
{% for name, type, description in nullable[table] %}
  {{ name }} {{ type }} OPTIONS (description = {{ description | literal }}){{ ',' if not loop.last }}
{% endfor %}
{% endmacro %}
DECLARE known ARRAY<STRING>;

CREATE TABLE IF NOT EXISTS `{{ ops }}.files` (
  product STRING NOT NULL OPTIONS (description = 'The data product that the file belongs to.'),
  uri STRING NOT NULL OPTIONS (description = 'gs://bucket/name of the object.'),
  generation INT64 NOT NULL OPTIONS (description = 'The version of the object, as Cloud Storage numbers it.'),
  size INT64 NOT NULL OPTIONS (description = 'Bytes.'),
  checksum STRING NOT NULL OPTIONS (description = 'CRC32C, as Cloud Storage computed it.'),
  run STRING NOT NULL OPTIONS (description = 'The run that processed the file.'),
  state STRING NOT NULL OPTIONS (description = 'accepted, or rejected as a whole.'),
  rows_read INT64 NOT NULL OPTIONS (description = 'Rows in the file; valid + rejected + duplicate.'),
  rows_valid INT64 NOT NULL OPTIONS (description = 'Rows that met the contract.'),
  rows_rejected INT64 NOT NULL OPTIONS (description = 'Rows in quarantine, without those that replays have brought since.'),
  rows_duplicate INT64 NOT NULL OPTIONS (description = 'Rows that lost to a newer one with their key.'),
{{ columns('files') }}
)
CLUSTER BY product, uri
OPTIONS (description = 'The ledger: each version of each file, processed once.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.runs` (
  product STRING NOT NULL OPTIONS (description = 'The data product.'),
  run STRING NOT NULL OPTIONS (description = 'Identity of the run, derived from what it processed.'),
  contract_version STRING NOT NULL OPTIONS (description = 'Version of the contract that rows were held to.'),
  release STRING NOT NULL OPTIONS (description = 'The code that cleaned them.'),
  files INT64 NOT NULL OPTIONS (description = 'Files in the manifest.'),
  rows_read INT64 NOT NULL OPTIONS (description = 'Rows in all files; of a replay, the rejected rows that it read again.'),
  rows_valid INT64 NOT NULL OPTIONS (description = 'Rows that met the contract.'),
  rows_rejected INT64 NOT NULL OPTIONS (description = 'Rows in quarantine.'),
  rows_duplicate INT64 NOT NULL OPTIONS (description = 'Rows that lost to a newer one with their key.'),
  published_at TIMESTAMP NOT NULL OPTIONS (description = 'When silver showed the rows.'),
{{ columns('runs') }}
)
CLUSTER BY product, run
OPTIONS (description = 'Runs that were published.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.touched_partitions` (
  product STRING NOT NULL OPTIONS (description = 'The data product.'),
  run STRING NOT NULL OPTIONS (description = 'The run that changed the partition.'),
  partition_date DATE NOT NULL OPTIONS (description = 'Business date of silver rows that the run changed.')
)
CLUSTER BY product, run
OPTIONS (description = 'What each run changed in silver, so that gold rebuilds no more than that.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.refreshes` (
  product STRING NOT NULL OPTIONS (description = 'The data product.'),
  table_name STRING NOT NULL OPTIONS (description = 'The gold table.'),
  definition STRING NOT NULL OPTIONS (description = 'Fingerprint of the SELECT and the layout that made it.'),
  run STRING NOT NULL OPTIONS (description = 'A run whose changes the table shows.'),
  refreshed_at TIMESTAMP NOT NULL OPTIONS (description = 'When it began to show them.')
)
CLUSTER BY product, table_name
OPTIONS (description = 'Which runs each gold table shows; what is missing here is still owed.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.documents` (
  product STRING NOT NULL OPTIONS (description = 'The data product.'),
  collection STRING NOT NULL OPTIONS (description = 'The Firestore collection.'),
  document STRING NOT NULL OPTIONS (description = 'The id of the document in it.'),
{{ columns('documents') }}
)
CLUSTER BY product, collection
OPTIONS (description = 'What Firestore shows of gold, by which a run finds what it has to write and to delete.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.checks` (
  product STRING NOT NULL OPTIONS (description = 'The data product.'),
  run STRING NOT NULL OPTIONS (description = 'The run that was checked.'),
  step STRING NOT NULL OPTIONS (description = 'The step that checked it.'),
  name STRING NOT NULL OPTIONS (description = 'What was checked.'),
  severity STRING NOT NULL OPTIONS (description = 'fail stops the run, warn does not.'),
  passed BOOL NOT NULL OPTIONS (description = 'Whether it held.'),
  detail STRING NOT NULL OPTIONS (description = 'Expected and found.'),
{{ columns('checks') }}
)
CLUSTER BY product, run
OPTIONS (description = 'Audits of runs, and checks of gold tables.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.jobs` (
  product STRING NOT NULL OPTIONS (description = 'The data product or model, as the job is labelled.'),
  run STRING NOT NULL OPTIONS (description = 'The run, or the version of the model.'),
  step STRING NOT NULL OPTIONS (description = 'The step of the way of the data.'),
  job_id STRING NOT NULL OPTIONS (description = 'The BigQuery job; noted anew, now and then, when its task was tried again.'),
  failed BOOL NOT NULL OPTIONS (description = 'Whether it ended in an error.'),
{{ columns('jobs') }}
)
CLUSTER BY product, run
OPTIONS (description = 'BigQuery jobs of each step, and what they cost.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.erasures` (
  product STRING NOT NULL OPTIONS (description = 'The data product that a person was erased from.'),
  run STRING NOT NULL OPTIONS (description = 'The request, which says nothing of who it was.'),
  erased_at TIMESTAMP NOT NULL OPTIONS (description = 'When silver ceased to show the person.'),
  silver_rows INT64 NOT NULL OPTIONS (description = 'Rows taken out of silver.'),
  superseded_rows INT64 NOT NULL OPTIONS (description = 'Rows taken out of those that silver does not show.'),
  quarantine_rows INT64 NOT NULL OPTIONS (description = 'Rejected rows taken out.'),
  files_rewritten INT64 NOT NULL OPTIONS (description = 'Files in bronze that were written anew without the person.'),
{{ columns('erasures') }}
)
CLUSTER BY product
OPTIONS (description = 'Erasures of persons, without their identity.');

CREATE TABLE IF NOT EXISTS `{{ ops }}.incidents` (
  product STRING NOT NULL OPTIONS (description = 'The data product or model.'),
  incident STRING NOT NULL OPTIONS (description = 'Its cause: failure.<step>, alert.<name> or deadline.'),
  opened_at TIMESTAMP NOT NULL OPTIONS (description = 'When it was first noted.'),
  run STRING NOT NULL OPTIONS (description = 'The Airflow run that found it last.'),
  detail STRING NOT NULL OPTIONS (description = 'What is the matter.'),
  command STRING NOT NULL OPTIONS (description = 'What helps: a query that shows more, or the command to try again.'),
{{ columns('incidents') }}
)
CLUSTER BY product, incident
OPTIONS (description = 'What went wrong, by cause: opened once, closed when it was over.');

SET known = (
  SELECT ARRAY_AGG(CONCAT(table_name, '.', column_name))
  FROM `{{ ops }}`.INFORMATION_SCHEMA.COLUMNS
);
{% for table, columns in nullable.items() %}
{% for name, type, description in columns %}
IF '{{ table }}.{{ name }}' NOT IN UNNEST(known) THEN
  ALTER TABLE `{{ ops }}.{{ table }}`
  ADD COLUMN IF NOT EXISTS {{ name }} {{ type }} OPTIONS (description = {{ description | literal }});
END IF;
{% endfor %}
{% endfor %}

CREATE OR REPLACE VIEW `{{ ops }}.status`
OPTIONS (description = 'Each product and model: its newest run, and what is wrong with it now.')
AS
WITH
  newest AS (
    SELECT
      product,
      run,
      published_at,
      rows_read,
      rows_valid,
      rows_rejected,
      rows_duplicate
    FROM `{{ ops }}.runs`
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (PARTITION BY product ORDER BY published_at DESC, run) = 1
  ),
  wrong AS (
    SELECT
      product,
      COUNT(*) AS open_incidents,
      STRING_AGG(incident, ', ' ORDER BY opened_at, incident) AS incidents,
      MIN(opened_at) AS wrong_since
    FROM `{{ ops }}.incidents`
    WHERE closed_at IS NULL
    GROUP BY product
  )
SELECT
  COALESCE(n.product, w.product) AS product,
  COALESCE(w.incidents, 'well') AS state,
  COALESCE(w.open_incidents, 0) AS open_incidents,
  w.wrong_since,
  n.run,
  n.published_at,
  n.rows_read,
  n.rows_valid,
  n.rows_rejected,
  n.rows_duplicate
FROM newest AS n
FULL JOIN wrong AS w ON w.product = n.product;
