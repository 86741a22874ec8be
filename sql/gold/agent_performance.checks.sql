-- #fail one_row_an_agent_and_date: an agent has one row a business date
SELECT agent_id, order_date
FROM `{{ build }}`
GROUP BY agent_id, order_date
HAVING COUNT(*) > 1;

-- #fail shares_add_up: the shares of a date add up to one, where it sold anything
SELECT order_date
FROM `{{ build }}`
GROUP BY order_date
HAVING ABS(SUM(share_of_day) - 1) > 0.000001;
