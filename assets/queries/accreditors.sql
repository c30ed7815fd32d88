-- title: Accreditors
-- help: How many accreditations each accreditor has given, and which of them ends first.
-- param: database name healthcare_pipeline
-- param: table name facilities
SELECT a.name AS accreditor, count(*) AS accreditations,
  count(DISTINCT facility_id) AS facilities,
  min(TRY_CAST(a.expiry_date AS date)) AS earliest_expiry
FROM {{database}}.{{table}}
CROSS JOIN UNNEST(accreditations) AS t(a)
GROUP BY a.name
ORDER BY accreditations DESC, accreditor
