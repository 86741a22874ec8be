-- Makes the staging table of a day's scores, which a load job fills.
-- From the scoring job's schema.
-- It expires by itself; a retry finds it and loads it anew.
CREATE TABLE IF NOT EXISTS `{{ staging }}.{{ table }}` (
  customer_id INT64,
  snapshot_date DATE,
  model_version STRING,
  p_inactive_30d FLOAT64,
  value_at_risk NUMERIC
)
OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {{ days }} DAY));
