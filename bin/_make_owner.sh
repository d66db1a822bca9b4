#!/bin/sh
# Runs once inside the postgres service: makes the role that owns the database. It is no superuser;
# it may make roles, for the two that see one school only and every school.
set -eu
psql --username postgres --no-psqlrc -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/owner_password)" <<'SQL'
CREATE ROLE schoolgate LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE schoolgate OWNER schoolgate;
SQL
