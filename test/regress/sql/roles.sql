-- Who may do what: five roles and PUBLIC against every object.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_hf_app LOGIN;
CREATE ROLE regress_hf_relay LOGIN REPLICATION;
CREATE ROLE regress_hf_admin LOGIN;
CREATE ROLE regress_hf_nobody LOGIN;
SELECT holdfast.grant_app('regress_hf_app');
SELECT holdfast.grant_relay('regress_hf_relay');
SELECT holdfast.grant_admin('regress_hf_admin');

-- Functions and procedures. The owner may everything; who else.
SELECT p.proname, string_agg(r.role, ' ' ORDER BY r.role) FILTER (WHERE has_function_privilege('regress_hf_' || r.role, p.oid, 'EXECUTE')) AS may_call
FROM pg_proc p CROSS JOIN (VALUES ('app'), ('relay'), ('admin'), ('nobody')) AS r(role)
WHERE p.pronamespace = 'holdfast'::regnamespace
GROUP BY p.oid, p.proname ORDER BY p.proname;
-- Tables and views: who may read; nobody may write.
SELECT c.relname, string_agg(r.role, ' ' ORDER BY r.role) FILTER (WHERE has_table_privilege('regress_hf_' || r.role, c.oid, 'SELECT')) AS may_read,
       bool_or(has_table_privilege('regress_hf_' || r.role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')) AS anybody_writes
FROM pg_class c CROSS JOIN (VALUES ('app'), ('relay'), ('admin'), ('nobody')) AS r(role)
WHERE c.relnamespace = 'holdfast'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND c.relname !~ '_p\d+$'
GROUP BY c.oid, c.relname ORDER BY c.relname;
SELECT c.relname, bool_or(has_sequence_privilege('regress_hf_' || r.role, c.oid, 'USAGE, SELECT, UPDATE')) AS anybody_uses
FROM pg_class c CROSS JOIN (VALUES ('app'), ('relay'), ('admin'), ('nobody')) AS r(role)
WHERE c.relnamespace = 'holdfast'::regnamespace AND c.relkind = 'S' GROUP BY c.relname ORDER BY 1;
SELECT r.role, has_schema_privilege('regress_hf_' || r.role, 'holdfast', 'USAGE') AS usage, has_schema_privilege('regress_hf_' || r.role, 'holdfast', 'CREATE') AS "create"
FROM (VALUES ('app'), ('relay'), ('admin'), ('nobody')) AS r(role) ORDER BY 1;
-- Nothing for PUBLIC, of any kind.
SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE p.pronamespace = 'holdfast'::regnamespace AND a.grantee = 0;
SELECT count(*) FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a WHERE c.relnamespace = 'holdfast'::regnamespace AND a.grantee = 0;
SELECT count(*) FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'holdfast' AND a.grantee = 0;

-- The owner: no login, no power, and owner of all.
SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'holdfast_owner';
SELECT count(*) AS members FROM pg_auth_members WHERE roleid = 'holdfast_owner'::regrole OR member = 'holdfast_owner'::regrole;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'holdfast'::regnamespace AND proowner <> 'holdfast_owner'::regrole;
SELECT count(*) FROM pg_class WHERE relnamespace = 'holdfast'::regnamespace AND relowner <> 'holdfast_owner'::regrole;
-- Every function resolves names in a path that nobody else can write to. C functions that name nothing, and
-- those that must be able to commit, have none.
SELECT proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE pronamespace = 'holdfast'::regnamespace AND NOT coalesce('search_path=pg_catalog, holdfast, pg_temp' = ANY (proconfig), false)
ORDER BY 1;
SELECT proname FROM pg_proc WHERE pronamespace = 'holdfast'::regnamespace AND prosecdef
    AND NOT coalesce('search_path=pg_catalog, holdfast, pg_temp' = ANY (proconfig), false);

-- The output plugin, where the server has a list of them: the relay's role may use it.
SELECT NOT EXISTS (SELECT FROM pg_settings WHERE name = 'output_plugin_libraries') OR EXISTS (
    SELECT FROM pg_db_role_setting WHERE setrole = 'regress_hf_relay'::regrole
        AND 'output_plugin_libraries=pgoutput, holdfast' = ANY (setconfig)) AS may_use_plugin;
-- One who may not say so grants the rest.
SET ROLE holdfast_owner;
SET client_min_messages = error;
SELECT holdfast.grant_relay('regress_hf_relay');
RESET ROLE;
SET client_min_messages = warning;

-- It works as those roles.
CALL holdfast.set_product(8001, 'a', 100, on_hand => 10);
SELECT last_value AS sequence_before, is_called FROM holdfast.order_id_seq \gset
SELECT setval('holdfast.order_id_seq', 8000000) AS base \gset
SET SESSION AUTHORIZATION regress_hf_admin;
CALL holdfast.set_product_limits(8001, max_per_user => 3);
CALL holdfast.set_waiting_room('roles', 1000);
CALL holdfast.set_product_room(8001, 'roles');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_hf_app;
SET search_path = pg_temp, public;
SELECT holdfast.waiting_join('roles', 1) AS ticket \gset
SELECT set_config('regress.ticket', :'ticket', false) AS kept \gset
DO $$
DECLARE
    give_up_at CONSTANT timestamptz := clock_timestamp() + interval '30 seconds';
BEGIN
    WHILE holdfast.waiting_position(current_setting('regress.ticket')::uuid, 1)->>'status' <> 'ADMITTED'
          AND clock_timestamp() < give_up_at LOOP
    END LOOP;
END
$$;
SELECT holdfast.waiting_position(:'ticket', 1)->>'status' AS status;
SELECT jsonb_build_object('admissionToken', holdfast.waiting_position(:'ticket', 1)->'token') AS options \gset
CALL holdfast.place_order_item(1, 8001, 2, NULL, :'options') \gset
CALL holdfast.complete_order(:order_id);
SELECT holdfast.waiting_leave(:'ticket', 1);
SELECT waiting, admitted FROM holdfast.waiting_rooms() WHERE room = 'roles';
SELECT token FROM holdfast.waiting_ticket;
SELECT holdfast.use_admission(1, 1, NULL, NULL, NULL);
CALL holdfast.set_waiting_room('roles', 1);
CALL holdfast.set_product_limits(8001);
RESET SESSION AUTHORIZATION;
CALL holdfast.remove_waiting_room('roles');
SET SESSION AUTHORIZATION regress_hf_app;
CALL holdfast.place_order(1, '[{"productId":8001,"quantity":1}]') \gset
CALL holdfast.begin_payment(:order_id, payment_id => 'roles-1');
CALL holdfast.fail_payment('roles-1');
CALL holdfast.complete_payment('roles-1');
CALL holdfast.refund_payment('roles-1');
SELECT count(*) FROM holdfast.pending_payments WHERE payment_id = 'roles-1';
CALL holdfast.cancel_order(:order_id);
SELECT holdfast.order_status(:order_id)->>'status';
SELECT on_hand, reserved FROM holdfast.availability(ARRAY[8001]);
SELECT holdfast.emit('roles-test', 'k', 'T', '{}') IS NOT NULL;
SELECT count(*) > 0 FROM holdfast.trace(:order_id);
CALL holdfast.set_product(8001, 'a', 1);
CALL holdfast.restock(8001, 1);
CALL holdfast.set_coupon('ROLES', amount => 100);
SELECT count(*) FROM holdfast.coupon;
SELECT count(*) FROM holdfast.coupon_availability('{ROLES}', 1);
SELECT holdfast.reconcile_coupons(true);
SELECT holdfast.end_coupon_uses('{}', 'RELEASED');
UPDATE holdfast.stock SET on_hand = 1000;
INSERT INTO holdfast.outbox VALUES (gen_random_uuid(), 't', 'k', 'T', '{}');
SELECT * FROM holdfast.outbox;
SELECT holdfast.on_order_failed('k', '{}', '{}');
SELECT holdfast.end_orders('{}', '{}', '{}', '{}', 'FAILED', 'x', false);
SELECT holdfast.refund_payments('{}', 'x');
UPDATE holdfast.payment SET status = 'COMPLETED';
SELECT holdfast.grant_admin('regress_hf_app');
SELECT nextval('holdfast.order_id_seq');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION regress_hf_relay;
SELECT next_offset FROM holdfast.inbox_claim('roles', 'order-failed', 0, 0, 'me');
SELECT outcome FROM holdfast.inbox_apply('roles', 'holdfast.on_order_failed(text,jsonb,jsonb)', 'order-failed', 0, 1, 0, 1, '{0}', '{k}', '{"{\"orderId\":8000001}"}', NULL, '{NULL}');
SELECT outcome, sqlstate FROM holdfast.inbox_apply('roles', 'holdfast.on_payment_failed(text,jsonb,jsonb)', 'order-failed', 0, 1, 1, 2, '{1}', '{k}', '{"{}"}', NULL, '{NULL}');
SELECT holdfast.relay_report('regress_hf', '1', 'h', 1, '0/1', '0/1', NULL);
SELECT slot, confirmed_lsn IS NULL AS no_slot FROM holdfast.relay_status WHERE slot = 'regress_hf';
SELECT system_identifier <> '' AS knows_its_cluster FROM holdfast.relay_state WHERE slot = 'regress_hf';
-- Only the process that has taken a slot says where it has left it, and not once it is taken again.
SELECT holdfast.relay_take_slot('regress_hf', '00000000-0000-4000-8000-000000000001');
SELECT holdfast.relay_leave_slot('regress_hf', '00000000-0000-4000-8000-000000000002', '0/2');
SELECT left_lsn FROM holdfast.relay_state WHERE slot = 'regress_hf';
SELECT holdfast.relay_leave_slot('regress_hf', '00000000-0000-4000-8000-000000000001', '0/3');
SELECT left_lsn FROM holdfast.relay_state WHERE slot = 'regress_hf';
SELECT holdfast.relay_take_slot('regress_hf', '00000000-0000-4000-8000-000000000002');
SELECT left_lsn FROM holdfast.relay_state WHERE slot = 'regress_hf';
SELECT count(*) FROM holdfast.outbox_status;
SELECT holdfast.maintain() IS NOT NULL AS maintained;
SELECT holdfast.expire_holds() >= 0 AS swept;
SELECT holdfast.record_positions('{}', '{}', '{}', '{}');
-- Its own handlers only by a grant; nobody else's work.
SELECT * FROM holdfast.inbox_apply('roles', 'pg_catalog.jsonb_insert(jsonb,text[],jsonb,boolean)', 'order-failed', 0, 1, 2, 3, '{2}', '{k}', '{1}', NULL, '{NULL}');
CALL holdfast.place_order_item(1, 8001, 2);
CALL holdfast.cancel_order(8000001);
CALL holdfast.complete_payment('roles-1');
UPDATE holdfast.inbox_offset SET next_offset = 0;
SELECT holdfast.redrive(1);
SELECT holdfast.forget_slot('regress_hf');
RESET SESSION AUTHORIZATION;
SELECT holdfast.forget_slot('regress_hf');

-- A handler without a grant is the binding's fault, not each message's: no dead letter.
CREATE FUNCTION public.regress_hf_handler(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE sql AS '';
REVOKE ALL ON FUNCTION public.regress_hf_handler FROM PUBLIC;
SET SESSION AUTHORIZATION regress_hf_relay;
SELECT * FROM holdfast.inbox_apply('roles', 'public.regress_hf_handler(text,jsonb,jsonb)', 'order-failed', 0, 1, 2, 3, '{2}', '{k}', '{1}', NULL, '{NULL}');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
-- Handlers run with the caller's rights, not the extension owner's.
CREATE OR REPLACE FUNCTION public.regress_hf_handler(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE sql AS
    'SELECT set_config(''regress.ran_as'', current_user, false)';
GRANT EXECUTE ON FUNCTION public.regress_hf_handler TO regress_hf_relay;
SET SESSION AUTHORIZATION regress_hf_relay;
SELECT outcome FROM holdfast.inbox_apply('roles', 'public.regress_hf_handler(text,jsonb,jsonb)', 'order-failed', 0, 1, 2, 3, '{2}', '{k2}', '{1}', NULL, '{NULL}');
SELECT current_setting('regress.ran_as');
-- What the relay role could have written itself is not run with an operator's rights.
RESET SESSION AUTHORIZATION;
CREATE SCHEMA regress_hf AUTHORIZATION regress_hf_relay;
GRANT USAGE ON SCHEMA regress_hf TO PUBLIC;
SET SESSION AUTHORIZATION regress_hf_relay;
CREATE FUNCTION regress_hf.trap(key text, value jsonb, headers jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ran as %', current_user;
END
$$;
SELECT outcome, message FROM holdfast.inbox_apply('roles', 'regress_hf.trap(text,jsonb,jsonb)', 'order-failed', 0, 1, 3, 4, '{3}', '{trap}', '{1}', NULL, '{NULL}');
RESET SESSION AUTHORIZATION;
SELECT max(id) AS trap FROM holdfast.dead_letter_entry \gset
SELECT outcome, message FROM holdfast.redrive(:trap);
\echo :SQLSTATE
SET SESSION AUTHORIZATION regress_hf_admin;
SELECT outcome, message FROM holdfast.redrive(:trap);
SELECT outcome FROM holdfast.discard(:trap, 'planted');
SELECT status, resolved_by FROM holdfast.dead_letter_entry WHERE id = :trap;
CALL holdfast.restock(8001, 5, 'by admin');
CALL holdfast.set_coupon('ROLES', amount => 100, total_uses => 1, reason => 'by admin');
CALL holdfast.stop_coupon('ROLES', 'by admin too');
SELECT cause, actor, reason FROM holdfast.coupon_history WHERE code = 'ROLES' ORDER BY history_id;
SELECT count(*) FROM holdfast.reconcile_coupons() WHERE code = 'ROLES';
SET holdfast.price_order = 'holdfast.price_order';
SELECT actor, reason FROM holdfast.stock_ledger WHERE product_id = 8001 ORDER BY ledger_id DESC LIMIT 1;
SELECT count(*) FROM holdfast.reconcile() WHERE product_id = 8001;
SELECT count(*) FROM holdfast.outbox_status;
SELECT count(*) FROM holdfast.relay_status;
SELECT count(*) FROM holdfast.dead_letter WHERE consumer = 'roles';
UPDATE holdfast.stock SET on_hand = 1000;
SELECT holdfast.create_publication();
SELECT holdfast.inbox_claim('x', 'x', 0, 0, 'x');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION regress_hf_nobody;
SELECT * FROM holdfast.product;
SELECT holdfast.availability();
CALL holdfast.place_order_item(1, 8001, 2);
RESET SESSION AUTHORIZATION;

SELECT setval('holdfast.order_id_seq', :sequence_before, :'is_called') IS NOT NULL AS restored;
DROP SCHEMA regress_hf CASCADE;
DROP FUNCTION public.regress_hf_handler;
DROP OWNED BY regress_hf_app, regress_hf_relay, regress_hf_admin, regress_hf_nobody;
DROP ROLE regress_hf_app, regress_hf_relay, regress_hf_admin, regress_hf_nobody;
