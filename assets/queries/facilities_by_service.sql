-- title: Facilities that offer a service
-- help: Every facility that offers the service, by state and name.
-- param: database name healthcare_pipeline
-- param: table name facilities
-- param: service varchar ICU
SELECT facility_id, facility_name, state, employee_count, array_join(services, ', ') AS services
FROM {{database}}.{{table}}
WHERE contains(services, :service)
ORDER BY state, facility_name, facility_id
