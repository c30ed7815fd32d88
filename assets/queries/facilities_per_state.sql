-- title: Facilities per state
-- help: Stage 3: how many facilities each state has, the most first.
-- param: database name healthcare_pipeline
-- param: table name facilities
SELECT state, count(*) AS facility_count
FROM {{database}}.{{table}}
GROUP BY state
ORDER BY facility_count DESC, state
