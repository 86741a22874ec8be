-- #fail one_row_a_customer: a customer has one row
SELECT customer_id
FROM `{{ build }}`
GROUP BY customer_id
HAVING COUNT(*) > 1;

-- #fail scores_of_quintiles: every score is one of 1 to 5
SELECT customer_id
FROM `{{ build }}`
WHERE NOT (recency_score BETWEEN 1 AND 5 AND frequency_score BETWEEN 1 AND 5 AND monetary_score BETWEEN 1 AND 5);

-- #warn crowded: a segment holds over three quarters of all customers, so that it tells nobody apart
SELECT segment
FROM (
  SELECT segment, COUNT(*) AS customers, SUM(COUNT(*)) OVER () AS everybody
  FROM `{{ build }}`
  GROUP BY segment
)
WHERE customers * 4 > everybody * 3;
