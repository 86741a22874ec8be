{#- Every version of the rows that a run is about, as they will be once it is published: publish stores what differs.
    From the run's staging tables, silver, the rows that silver doesn't show, and the index of keys.
    A file's newer generation takes the place of the older one, so that a corrected file can also take rows away; where
    one does, the next newest version of a key is shown again. One that was rejected as a whole takes nobody's. A file
    that the run took for new, and that another run has published meanwhile, is that one's. Nothing but the partitions of
    these keys is read. -#}
CREATE OR REPLACE TEMP TABLE {{ table }}__accepted AS
SELECT f.uri, f.generation
FROM `{{ staging }}.{{ table }}__files` AS f
LEFT JOIN `{{ ops }}.files` AS newer
  ON newer.product = {{ product | literal }} AND newer.uri = f.uri
  AND (newer.generation > f.generation AND newer.state = 'accepted'{{ ' OR newer.generation = f.generation' if fresh }})
WHERE newer.uri IS NULL AND f.state = 'accepted';

{% if not replay %}
SET replaced_dates = (
  SELECT ARRAY_AGG(DISTINCT partition_date)
  FROM `{{ ops }}.files` AS f
  CROSS JOIN UNNEST(f.dates) AS partition_date
  INNER JOIN {{ table }}__accepted AS a ON a.uri = f.uri
  WHERE f.product = {{ product | literal }}
);
{% endif %}

CREATE OR REPLACE TEMP TABLE {{ table }}__keys AS
SELECT key_hash
FROM `{{ staging }}.{{ table }}`
WHERE status != 'rejected'
{% if not replay %}
{% for place in places %}
UNION DISTINCT
SELECT key_hash
FROM `{{ silver }}.{{ place }}`
WHERE {{ partition_by }} IN UNNEST(replaced_dates) AND source_file IN (SELECT uri FROM {{ table }}__accepted)
{% endfor %}
{% else %}
GROUP BY key_hash
{% endif %};

SET buckets = (SELECT ARRAY_AGG(DISTINCT {{ bucket }}) FROM {{ table }}__keys);
SET version_dates = (
  SELECT ARRAY_AGG(DISTINCT i.partition_date)
  FROM `{{ silver }}.{{ product }}__keys` AS i
  INNER JOIN {{ table }}__keys AS k ON k.key_hash = i.key_hash
  WHERE i.bucket IN UNNEST(buckets)
);

CREATE OR REPLACE TEMP TABLE {{ table }}__versions AS
WITH
  versions AS (
    {% for place in places %}
    SELECT {{ names(columns) }}, run, {{ place | literal }} AS place__
    FROM `{{ silver }}.{{ place }}`
    WHERE
      {{ partition_by }} IN UNNEST(version_dates)
      AND key_hash IN (SELECT key_hash FROM {{ table }}__keys)
      {% if not replay %}
      AND source_file NOT IN (SELECT uri FROM {{ table }}__accepted)
      {% endif %}
    UNION ALL
    {% endfor %}
    SELECT
      {{ names(own, 's.') }},
      {% for name in evolved %}
      JSON_VALUE(s.extra, {{ ('$.' ~ name) | literal }}) AS `{{ name }}`,
      {% endfor %}
      {{ run | literal }} AS run,
      'staged' AS place__
    FROM `{{ staging }}.{{ table }}` AS s
    INNER JOIN {{ table }}__accepted AS a ON a.uri = s.source_file AND a.generation = s.source_generation
    WHERE s.status != 'rejected'
  )
SELECT
  *,
  {{ 'NOT COALESCE(`' ~ contract.delete_flag ~ '`, FALSE) AND ' if contract.delete_flag }}ROW_NUMBER() OVER (
    PARTITION BY {{ names(contract.key) }}
    ORDER BY `{{ contract.order_by }}` DESC, row_hash DESC, source_file DESC, source_generation DESC, run DESC
  ) = 1 AS shown__
FROM versions;
