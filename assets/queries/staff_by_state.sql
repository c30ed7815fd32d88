-- title: Staff by state
-- help: Facilities, staff in all and on average, and the largest facility of each state.
-- param: database name healthcare_pipeline
-- param: table name facilities
SELECT state, count(*) AS facilities, sum(employee_count) AS staff,
  round(avg(employee_count), 1) AS average_staff,
  max_by(facility_name, employee_count) AS largest
FROM {{database}}.{{table}}
GROUP BY state
ORDER BY staff DESC, state
