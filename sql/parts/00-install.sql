\echo Use "CREATE EXTENSION holdfast" to load this file. \quit

-- holdfast 1.0.  Made by concatenating sql/parts/*.sql; edit those.
--
-- Part 00: what must hold before anything is created.  PostgreSQL takes an existing schema of the
-- right name as it finds it; whoever owns it, or has put functions or operators into it, could decide
-- what the rest of this script means.  So it has to be ours and empty.

DO $$
DECLARE
    schema_oid oid;
    schema_owner oid;
BEGIN
    SELECT n.oid, n.nspowner INTO STRICT schema_oid, schema_owner
    FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'holdfast'::name;

    IF pg_catalog.pg_get_userbyid(schema_owner) OPERATOR(pg_catalog.<>) CURRENT_USER::name THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_schema',
            MESSAGE = pg_catalog.format('schema "holdfast" already exists and belongs to "%s"',
                                        pg_catalog.pg_get_userbyid(schema_owner)),
            HINT = 'Drop or rename it: the extension installs only into a schema of its own.';
    END IF;

    IF EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid
                 AND d.refobjid OPERATOR(pg_catalog.=) schema_oid
                 AND d.deptype OPERATOR(pg_catalog.=) 'n'::"char"
                 AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass::oid) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_object',
            MESSAGE = 'schema "holdfast" already exists and is not empty',
            HINT = 'Drop or rename it: the extension installs only into a schema of its own.';
    END IF;
END
$$;

-- The owner of all that follows, and so the identity under which SECURITY DEFINER functions run: it
-- cannot log in, is no superuser, has no members and owns nothing else.  Roles belong to the cluster,
-- so a second database finds it there, and takes it only in that shape.
DO $$
DECLARE
    owner_role pg_catalog.pg_roles;
BEGIN
    SELECT * INTO owner_role
    FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) 'holdfast_owner'::name;

    IF owner_role.rolname IS NULL THEN
        CREATE ROLE holdfast_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    ELSIF owner_role.rolcanlogin OR owner_role.rolsuper OR owner_role.rolcreaterole
          OR owner_role.rolreplication OR owner_role.rolbypassrls
          OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                     WHERE m.roleid OPERATOR(pg_catalog.=) owner_role.oid
                        OR m.member OPERATOR(pg_catalog.=) owner_role.oid) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_object',
            MESSAGE = 'role "holdfast_owner" exists and is more than the extension''s owner may be',
            DETAIL = 'It must have no LOGIN, SUPERUSER, CREATEROLE, REPLICATION or BYPASSRLS, no members, and be a member of nothing.';
    END IF;
END
$$;

GRANT USAGE, CREATE ON SCHEMA holdfast TO holdfast_owner;
COMMENT ON SCHEMA holdfast IS 'orders, stock, outbox and inbox of the extension holdfast';
