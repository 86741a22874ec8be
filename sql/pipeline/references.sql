{#- Exports the keys of the datasets that a contract refers to, one folder a dataset.
    From silver.
    The job that cleans holds rows against them; it reads them as they were when the run began. -#}
{% for dataset, keys in references.items() %}
EXPORT DATA OPTIONS (uri = {{ (folders[dataset] ~ '/*.parquet') | literal }}, format = 'PARQUET') AS
SELECT DISTINCT {{ keys | join(', ') }}
FROM `{{ silver }}.{{ dataset }}`;
{% endfor %}
