-- Run by psql, as superuser, when the data directory is made. The first role owns the database, and migrate and load log in as it; it may
-- see when the transactions of others began (transactionTime depends on it), and the worker asks by a function of its. API and worker
-- have roles of their own, which migrate grants what they need. None is a superuser.
\getenv password DATABASE_PASSWORD
\getenv api_password API_DATABASE_PASSWORD
\getenv worker_password WORKER_DATABASE_PASSWORD
CREATE ROLE fhir_bulk_export LOGIN PASSWORD :'password';
CREATE ROLE fhir_bulk_export_api LOGIN PASSWORD :'api_password';
CREATE ROLE fhir_bulk_export_worker LOGIN PASSWORD :'worker_password';
GRANT pg_read_all_stats TO fhir_bulk_export;
CREATE DATABASE fhir_bulk_export OWNER fhir_bulk_export;
REVOKE ALL ON DATABASE fhir_bulk_export FROM PUBLIC;
GRANT CONNECT ON DATABASE fhir_bulk_export TO fhir_bulk_export_api, fhir_bulk_export_worker;
