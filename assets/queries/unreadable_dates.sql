-- title: Unreadable dates
-- help: Accreditations whose expiry date is missing or is no date: unknown, never clear.
-- param: database name healthcare_pipeline
-- param: table name facilities
SELECT f.facility_id, f.facility_name, a.name AS accreditor, a.expiry_date AS written
FROM {{database}}.{{table}} AS f
CROSS JOIN UNNEST(f.accreditations) AS t(a)
WHERE TRY_CAST(a.expiry_date AS date) IS NULL
ORDER BY f.facility_id, accreditor
