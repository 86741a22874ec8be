{#- A table of one row that stands for the right to write, and how a transaction takes it.
    Made where it is not there yet; should two runs make it at once, it has two rows, and both are changed.
    BigQuery aborts one of two transactions that change rows of the same table, and lets both come through that only
    add rows to it. -#}
{% macro turn(name) %}
CREATE TABLE IF NOT EXISTS `{{ silver }}.{{ name }}` (
  turns INT64 NOT NULL OPTIONS (description = 'How many transactions have taken their turn.')
)
OPTIONS (description = 'Changed by each transaction that must not run beside another one.');
IF NOT EXISTS (SELECT 1 FROM `{{ silver }}.{{ name }}`) THEN
  INSERT INTO `{{ silver }}.{{ name }}` (turns) VALUES (0);
END IF;
{%- endmacro %}
{% macro take_turn(name) %}
UPDATE `{{ silver }}.{{ name }}` SET turns = turns + 1 WHERE TRUE;
{%- endmacro %}
