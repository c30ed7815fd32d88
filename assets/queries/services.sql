-- title: Services
-- help: How many facilities offer each service, and the share of all.
-- param: database name healthcare_pipeline
-- param: table name facilities
SELECT service, count(*) AS facilities,
  round(100.0e0 * count(*) / (SELECT count(*) FROM {{database}}.{{table}}), 1) AS percent
FROM {{database}}.{{table}}
CROSS JOIN UNNEST(services) AS t(service)
GROUP BY service
ORDER BY facilities DESC, service
