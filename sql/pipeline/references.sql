{#- Exports the keys of the datasets that a contract refers to, one folder a dataset.
    From silver.
    The job that cleans holds rows against them; it reads them as they were when the run began. -#}
{% for dataset, keys in references.items() %}
EXPORT DATA OPTIONS (uri = {{ (folders[dataset] ~ '/*.parquet') | literal }}, format = 'PARQUET') AS
SELECT DISTINCT {{ keys | join(', ') }}
-- full scan: a row of any date may refer to a key of any date; only the key columns are read.
FROM `{{ silver }}.{{ dataset }}`;
{% endfor %}
