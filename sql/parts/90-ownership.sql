-- Part 90, the last: hand everything to the owner role, mark what a dump must carry, and take from PUBLIC
-- what PostgreSQL gives by default.

DO $$
DECLARE
    object record;
BEGIN
    FOR object IN
        SELECT c.oid::regclass AS name, c.relkind
        FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'holdfast'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v')
        ORDER BY c.relkind = 'S', c.oid
    LOOP
        IF object.relkind IN ('r', 'S') THEN
            -- What the script itself inserts is there again before a dump's rows come.
            PERFORM pg_catalog.pg_extension_config_dump(object.name,
                CASE object.name WHEN 'holdfast.saga_definition'::regclass THEN 'WHERE NOT built_in' ELSE '' END);
        END IF;
        -- A sequence that belongs to a column has moved with its table.
        IF (SELECT c.relowner <> 'holdfast_owner'::regrole FROM pg_catalog.pg_class c WHERE c.oid = object.name) THEN
            EXECUTE pg_catalog.format('ALTER %s %s OWNER TO holdfast_owner',
                CASE object.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, object.name);
        END IF;
    END LOOP;

    FOR object IN
        SELECT p.oid::regprocedure AS name
        FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'holdfast'::regnamespace
    LOOP
        EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO holdfast_owner', object.name);
    END LOOP;
END
$$;

-- After the change of owner: what a REVOKE leaves is what a dump compares later grants with.  (The row
-- types need none: nobody without USAGE on the schema can name them.)
REVOKE ALL ON ALL ROUTINES IN SCHEMA holdfast FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA holdfast FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA holdfast FROM PUBLIC;
