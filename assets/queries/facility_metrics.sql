-- title: Facility metrics
-- help: Stage 1: staff, number of offered services and the expiry of the first accreditation of every facility.
-- param: database name healthcare_pipeline
-- param: table name facilities
SELECT
  facility_id,
  facility_name,
  employee_count,
  cardinality(services) AS services_offered,
  element_at(accreditations, 1).expiry_date AS first_accreditation_expiry
FROM {{database}}.{{table}}
ORDER BY facility_id
