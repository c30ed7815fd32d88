-- title: Create the facilities table
-- help: Stage 1. One row per facility record: compact JSON, one record per line, any number of objects.
-- param: database name healthcare_pipeline
-- param: table name facilities
-- param: bucket name healthcare-accreditation-data-pipeline
-- param: prefix name raw/
-- Dates stay text: a record with an impossible date must not fail the query that reads it.
CREATE EXTERNAL TABLE IF NOT EXISTS `{{database}}`.`{{table}}` (
  `facility_id`    string COMMENT 'FAC001, unique',
  `facility_name`  string,
  `employee_count` int,
  `services`       array<string> COMMENT 'offered services',
  `accreditations` array<struct<name:string,expiry_date:string>> COMMENT 'accreditor and YYYY-MM-DD',
  `state`          string COMMENT 'two letters'
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
LOCATION 's3://{{bucket}}/{{prefix}}'
