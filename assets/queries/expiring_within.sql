-- title: Expiring within a window
-- help: Accreditations that expire from as-of for a number of months, both ends included, the soonest first.
-- param: database name healthcare_pipeline
-- param: table name facilities
-- param: as_of date current_date
-- param: months integer 6
SELECT f.facility_id, f.facility_name, f.state, a.name AS accreditor,
  TRY_CAST(a.expiry_date AS date) AS expiry,
  date_diff('day', :as_of, TRY_CAST(a.expiry_date AS date)) AS days_left
FROM {{database}}.{{table}} AS f
CROSS JOIN UNNEST(f.accreditations) AS t(a)
WHERE TRY_CAST(a.expiry_date AS date) BETWEEN :as_of AND date_add('month', :months, :as_of)
ORDER BY expiry, f.facility_id, accreditor
