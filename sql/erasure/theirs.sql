-- Whether a row is the person's.
-- From the column that tells persons, and its type in the contract.
-- As a value, for the text of a number has as many zeros as its engine likes. Blanks around a text count for nothing, nor
-- do they in files.
{% set type = (contract.columns | selectattr('name', 'equalto', column) | first).sql_type %}
{{ ('TRIM(`' ~ column ~ '`)') if type == 'STRING' else ('`' ~ column ~ '`') }} = CAST({{ value | literal }} AS {{ type }})
