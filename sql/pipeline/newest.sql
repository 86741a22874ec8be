-- The newest business date that silver shows of a product; NULL where it shows nothing.
-- From ops.touched_partitions, and silver: what a run has changed may be a wrong date that was corrected since.
-- BigQuery prunes by a variable, but not by a subquery: each look reads one partition, and mostly one look is enough.
DECLARE day, newest DATE;

FOR touched IN (
  SELECT DISTINCT partition_date
  FROM `{{ ops }}.touched_partitions`
  WHERE product = {{ product | literal }}
  ORDER BY partition_date DESC
) DO
  SET day = touched.partition_date;
  IF EXISTS (SELECT 1 FROM `{{ silver }}.{{ product }}` WHERE {{ partition_by }} = day) THEN
    SET newest = day;
    BREAK;
  END IF;
END FOR;

SELECT newest;
