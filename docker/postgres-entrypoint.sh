#!/usr/bin/env bash
# Starts PostgreSQL; on an empty data directory makes the cluster, the database `shop` with the
# extension, and two roles: shop_app (may call and read) and holdfast_relay (may stream and apply).
#
#   HOLDFAST_APP_PASSWORD, HOLDFAST_RELAY_PASSWORD   passwords of those roles; both are required
set -euo pipefail

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${HOLDFAST_APP_PASSWORD:?must be set for the role shop_app}"
    : "${HOLDFAST_RELAY_PASSWORD:?must be set for the role holdfast_relay}"
    initdb -D "$PGDATA" -U postgres -E UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256 --no-instructions
    cat >>"$PGDATA/postgresql.conf" <<'CONF'
listen_addresses = '*'
wal_level = logical
max_slot_wal_keep_size = 4GB
CONF
    cat >>"$PGDATA/pg_hba.conf" <<'HBA'
host shop        shop_app,holdfast_relay all scram-sha-256
host replication all                     all reject
HBA
    # Set up on the socket alone, so that nobody connects to a half-made database.
    pg_ctl start -D "$PGDATA" -w -s -o "-c listen_addresses=''"
    # psql reads the passwords from its own environment: they are in no argument list.
    psql -qX -v ON_ERROR_STOP=1 -d postgres <<'SQL'
\getenv app_password HOLDFAST_APP_PASSWORD
\getenv relay_password HOLDFAST_RELAY_PASSWORD
CREATE ROLE shop_app LOGIN PASSWORD :'app_password';
CREATE ROLE holdfast_relay LOGIN REPLICATION PASSWORD :'relay_password';
CREATE DATABASE shop;
\connect shop
CREATE EXTENSION holdfast;
SELECT holdfast.grant_app('shop_app');
SELECT holdfast.grant_relay('holdfast_relay');
SQL
    pg_ctl stop -D "$PGDATA" -w -s -m fast
fi
exec postgres -D "$PGDATA"
