{#- What publishing a run would change in silver, by business date: rows added, changed and removed.
    From the same versions that publish stores.
    No row is stored; columns that silver is to gain are there from now on. -#}
{% from 'pipeline/silver.sql' import bucket, columns, demanded, names, own, places, same_key, shown_and_to_be_shown with context %}
{% include 'pipeline/silver_tables.sql' %}

{% include 'pipeline/versions.sql' %}

WITH
  {{ shown_and_to_be_shown() }},
  compared AS (
    SELECT
      COALESCE(v.{{ partition_by }}, t.{{ partition_by }}) AS partition_date,
      t.{{ partition_by }} IS NULL AS added,
      v.{{ partition_by }} IS NULL AS removed,
      TO_JSON_STRING(v) != TO_JSON_STRING(t) AS differs
    FROM to_be_shown AS v
    FULL JOIN shown AS t ON {{ same_key('t', 'v') }} AND t.{{ partition_by }} = v.{{ partition_by }}
  )
SELECT
  partition_date,
  COUNTIF(added) AS added,
  COUNTIF(NOT added AND NOT removed AND differs) AS changed,
  COUNTIF(removed) AS removed
FROM compared
GROUP BY partition_date
HAVING added + changed + removed > 0
ORDER BY partition_date
