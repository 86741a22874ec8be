-- What an erasure has found: files that were written anew, files that stay and why, and the person's rejected rows.
-- From bronze and quarantine, a part at a time.
-- Written out in erase.sql, it would make that longer than a query may be. It expires by itself.
{% if anew %}
CREATE OR REPLACE TABLE `{{ staging }}.{{ found_table }}` (
  uri STRING,
  known INT64,
  generation INT64,
  size INT64,
  checksum STRING,
  reason STRING,
  rejected STRING
)
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY));
{% endif %}

{% if part %}
INSERT INTO `{{ staging }}.{{ found_table }}` (uri, known, generation, size, checksum, reason, rejected)
VALUES
{% for row in part %}
  (
    {{ row.uri | literal }}, {{ row.known | literal }}, {{ row.generation | literal }}, {{ row.size | literal }},
    {{ row.checksum | literal }}, {{ row.reason | literal }}, {{ row.rejected | literal }}
  ){{ ';' if loop.last else ',' }}
{% endfor %}
{% endif %}
