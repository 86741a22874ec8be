-- Which documents differ from the rows of a gold table: {{ table }}.
-- From the table, and ops.documents, which tells what was written.
-- Built aside for the task that writes them. What is about to be written is noted as not known first: whatever a task
-- that is lost has written, or not, the next one writes anew.
{% macro encoded(column) -%}
REPLACE(REPLACE(REPLACE(CAST(row__.`{{ column }}` AS STRING), '%', '%25'), '/', '%2F'), '~', '%7E')
{%- endmacro %}
{# Firestore takes neither a dot nor two for an id, and none that begins and ends with two underscores. #}
{% set document -%}
REGEXP_REPLACE(REGEXP_REPLACE(CONCAT(
  {%- for column in key %}{{ encoded(column) }}{{ ", '~', " if not loop.last }}{% endfor -%}
), '^[.]', '%2E'), '^__', '%5F_')
{%- endset %}
SELECT
  IF(
    SUM(alike) > 0,
    ERROR(FORMAT(
      '%d rows of {{ table }} make no document of their own: expected values of {{ key | join(", ") }} that no other row has, not null, and of 1 to 1500 bytes. Next: name other columns as the key, or mend sql/gold/{{ table }}.sql.',
      SUM(alike)
    )),
    'sound'
  ) AS ids
FROM (
  SELECT COUNT(*) AS alike
  FROM (
    SELECT {{ document }} AS document
    FROM `{{ gold }}.{{ table }}` AS row__
  )
  GROUP BY document
  HAVING COUNT(*) > 1 OR document IS NULL OR BYTE_LENGTH(document) = 0 OR BYTE_LENGTH(document) > 1500
);

CREATE OR REPLACE TABLE `{{ staging }}.{{ build }}`
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY))
AS
WITH
  wanted AS (
    SELECT
      {{ collection | literal }} AS collection__,
      {{ document }} AS document__,
      TO_HEX(SHA256(CONCAT({{ layout | literal }}, TO_JSON_STRING(row__)))) AS fingerprint__,
      row__.*
    FROM `{{ gold }}.{{ table }}` AS row__
  ),
  noted AS (
    SELECT collection, document, fingerprint
    FROM `{{ ops }}.documents`
    WHERE product = {{ product | literal }}
  )
SELECT
  wanted.* REPLACE (
    IFNULL(wanted.collection__, noted.collection) AS collection__,
    IFNULL(wanted.document__, noted.document) AS document__
  ),
  wanted.collection__ IS NULL AS gone__
FROM wanted
FULL JOIN noted
  ON noted.collection = wanted.collection__ AND noted.document = wanted.document__
WHERE
  noted.fingerprint IS NULL
  OR wanted.fingerprint__ IS NULL
  OR noted.fingerprint != wanted.fingerprint__;

MERGE `{{ ops }}.documents` AS noted
USING `{{ staging }}.{{ build }}` AS changed
  ON noted.product = {{ product | literal }} AND noted.collection = changed.collection__ AND noted.document = changed.document__
WHEN MATCHED THEN
  UPDATE SET fingerprint = NULL
WHEN NOT MATCHED THEN
  INSERT (product, collection, document)
  VALUES ({{ product | literal }}, changed.collection__, changed.document__);
