-- title: Expiries per month
-- help: How many accreditations end in each of the next 18 months.
-- param: database name healthcare_pipeline
-- param: table name facilities
-- param: as_of date current_date
SELECT date_format(TRY_CAST(a.expiry_date AS date), '%Y-%m') AS month, count(*) AS expiries
FROM {{database}}.{{table}}
CROSS JOIN UNNEST(accreditations) AS t(a)
WHERE TRY_CAST(a.expiry_date AS date) >= :as_of
  AND TRY_CAST(a.expiry_date AS date) < date_add('month', 18, date_trunc('month', :as_of))
GROUP BY 1
ORDER BY 1
