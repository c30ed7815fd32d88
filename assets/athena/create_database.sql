-- title: Create the database
-- help: Stage 1. The database that holds the facilities table.
-- param: database name healthcare_pipeline
CREATE DATABASE IF NOT EXISTS `{{database}}`
  COMMENT 'Healthcare facilities and their accreditations'
