-- Publishes the scores of a snapshot date.
-- From the scores' staging table, and what gold.customer_daily is made of by now.
-- One transaction replaces the date's scores, whichever version made them: a customer has one score a day. Where gold has
-- changed since these were planned, a newer run may have scored the date already, and what is there stays.
CREATE TABLE IF NOT EXISTS `{{ gold }}.customer_scores` (
  customer_id INT64 NOT NULL OPTIONS (description = 'The customer.'),
  snapshot_date DATE NOT NULL OPTIONS (description = 'The date as of which the score was made.'),
  model_version STRING NOT NULL OPTIONS (description = 'The version of the model that made it.'),
  p_inactive_30d FLOAT64 NOT NULL OPTIONS (description = 'Probability of no order in the next 30 days.'),
  value_at_risk NUMERIC NOT NULL OPTIONS (description = 'That probability times a month of the last 90 days of sales.')
)
PARTITION BY snapshot_date
CLUSTER BY customer_id
OPTIONS (description = 'How likely each customer is to stay away, and what that would cost.');

IF
  NOT EXISTS (SELECT 1 FROM `{{ gold }}.customer_scores` WHERE snapshot_date = {{ snapshot_date | literal }})
  OR {{ fingerprint | literal }} = (SELECT fingerprint FROM ({% include 'training/provenance.sql' %}))
THEN
  BEGIN TRANSACTION;
  DELETE FROM `{{ gold }}.customer_scores`
  WHERE snapshot_date = {{ snapshot_date | literal }};
  INSERT INTO `{{ gold }}.customer_scores` (customer_id, snapshot_date, model_version, p_inactive_30d, value_at_risk)
  SELECT customer_id, snapshot_date, model_version, p_inactive_30d, value_at_risk
  FROM `{{ staging }}.{{ table }}`;
  COMMIT TRANSACTION;
END IF;
