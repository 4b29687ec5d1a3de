-- A role and a database for us, and those of Temporal. The image runs this once, on an empty volume.
\set ON_ERROR_STOP on
\set ours `cat /run/secrets/database_password`
\set theirs `cat /run/secrets/temporal_database_password`

CREATE ROLE perdure LOGIN PASSWORD :'ours';
CREATE ROLE temporal LOGIN PASSWORD :'theirs';

CREATE DATABASE perdure OWNER perdure;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

-- Each to its owner alone.
REVOKE ALL ON DATABASE perdure, temporal, temporal_visibility FROM PUBLIC;
