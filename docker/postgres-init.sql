-- Run by psql, as superuser, when the data directory is made. The service owns its database and may see when the transactions of others
-- began (transactionTime depends on it); it is no superuser.
\getenv password DATABASE_PASSWORD
CREATE ROLE fhir_bulk_export LOGIN PASSWORD :'password';
GRANT pg_read_all_stats TO fhir_bulk_export;
CREATE DATABASE fhir_bulk_export OWNER fhir_bulk_export;
REVOKE ALL ON DATABASE fhir_bulk_export FROM PUBLIC;
