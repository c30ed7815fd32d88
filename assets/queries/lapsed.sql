-- title: Lapsed accreditations
-- help: Accreditations that expired before as-of, the longest ago first.
-- param: database name healthcare_pipeline
-- param: table name facilities
-- param: as_of date current_date
SELECT f.facility_id, f.facility_name, f.state, a.name AS accreditor,
  TRY_CAST(a.expiry_date AS date) AS expiry,
  date_diff('day', TRY_CAST(a.expiry_date AS date), :as_of) AS days_ago
FROM {{database}}.{{table}} AS f
CROSS JOIN UNNEST(f.accreditations) AS t(a)
WHERE TRY_CAST(a.expiry_date AS date) < :as_of
ORDER BY expiry, f.facility_id, accreditor
