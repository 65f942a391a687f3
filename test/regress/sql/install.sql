-- Installing where somebody was first: refused clearly, or unharmed.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT current_database() AS home \gset
CREATE ROLE regress_hf_evil;
CREATE DATABASE regress_hf_install;
\c regress_hf_install
SET client_min_messages = warning;

-- The schema is somebody else's.
CREATE SCHEMA holdfast AUTHORIZATION regress_hf_evil;
CREATE EXTENSION holdfast;
\echo :SQLSTATE
ALTER SCHEMA holdfast OWNER TO CURRENT_USER;
-- It is ours, and has things in it.
CREATE FUNCTION holdfast.uuid_v7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
CREATE EXTENSION holdfast;
\echo :SQLSTATE
DROP FUNCTION holdfast.uuid_v7();
CREATE OPERATOR holdfast.= (LEFTARG = name, RIGHTARG = text, FUNCTION = pg_catalog.nameeqtext);
CREATE EXTENSION holdfast;
\echo :SQLSTATE
DROP OPERATOR holdfast.= (name, text);
CREATE TABLE holdfast.outbox (id int);
CREATE EXTENSION holdfast;
\echo :SQLSTATE
DROP TABLE holdfast.outbox;
CREATE TYPE holdfast.stock AS (a int);
CREATE EXTENSION holdfast;
\echo :SQLSTATE
DROP TYPE holdfast.stock;

-- The owner role has grown.
ALTER ROLE holdfast_owner LOGIN;
CREATE EXTENSION holdfast;
\echo :SQLSTATE
ALTER ROLE holdfast_owner NOLOGIN;
GRANT holdfast_owner TO regress_hf_evil;
CREATE EXTENSION holdfast;
\echo :SQLSTATE
REVOKE holdfast_owner FROM regress_hf_evil;

-- Only a superuser; not elsewhere.
GRANT CREATE ON DATABASE regress_hf_install TO regress_hf_evil;
SET ROLE regress_hf_evil;
CREATE EXTENSION holdfast;
RESET ROLE;
CREATE EXTENSION holdfast SCHEMA public;

-- Lures in public, which comes first in the installer's path.
GRANT CREATE ON SCHEMA public TO regress_hf_evil;
SET ROLE regress_hf_evil;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lured'; END $$;
CREATE FUNCTION public.lured_eq(bigint, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lured'; END $$;
CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = int, FUNCTION = public.lured_eq);
CREATE FUNCTION public.uuid_v7() RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lured'; END $$;
CREATE TABLE public.orders (order_id bigint);
CREATE TABLE public.stock (product_id bigint);
RESET ROLE;
SET search_path = public, pg_catalog;
CREATE EXTENSION holdfast;
SELECT n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'holdfast';
-- Nothing that it made is outside of its schema, nor belongs to anyone but its owner.
SELECT d.classid::regclass, count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'holdfast'
  AND (coalesce(c.relnamespace, p.pronamespace) IS DISTINCT FROM 'holdfast'::regnamespace
       AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
       OR coalesce(c.relowner, p.proowner) <> 'holdfast_owner'::regrole)
GROUP BY 1;
-- And it works in that path.
CALL holdfast.set_product(1, 'a', 100, on_hand => 5);
CALL holdfast.place_order_item(1, 1, 2) \gset
\o /dev/null
CALL holdfast.cancel_order(1);
CALL holdfast.place_order(1, '[{"productId":1,"quantity":1}]');
CALL holdfast.complete_order(2);
SELECT holdfast.maintain();
SELECT holdfast.on_order_failed('2', '{"orderId":2}', NULL);
SELECT * FROM holdfast.trace(2);
\o
SELECT * FROM holdfast.reconcile();
SELECT order_id, status FROM holdfast.orders ORDER BY 1;

-- Gone without a trace, partitions included; and back again.
DROP EXTENSION holdfast;
SELECT count(*) FROM pg_class WHERE relnamespace = 'holdfast'::regnamespace;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'holdfast'::regnamespace;
CREATE EXTENSION holdfast;
SELECT count(*) FROM holdfast.orders;

\c :home
DROP DATABASE regress_hf_install;
DROP ROLE regress_hf_evil;
