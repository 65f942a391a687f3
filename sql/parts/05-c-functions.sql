-- Functions in C++ that tables and PL/pgSQL use.  They resolve no names, so none needs a search_path.

CREATE FUNCTION holdfast.uuid_v7() RETURNS uuid
    LANGUAGE C VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'holdfast_uuid_v7';
COMMENT ON FUNCTION holdfast.uuid_v7() IS
    'A time-ordered UUID (RFC 9562, version 7); rises strictly within a session.';

CREATE FUNCTION holdfast.event_inventory_updated_v1(
    event_id uuid, product_id bigint, on_hand bigint, reserved bigint, available bigint,
    version bigint, cause text, order_id bigint) RETURNS json
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'holdfast_event_inventory_updated_v1';
COMMENT ON FUNCTION holdfast.event_inventory_updated_v1 IS
    'The payload of an inventory-updated event; without orderId when order_id is null.';

CREATE FUNCTION holdfast.event_order_failed_v1(
    event_id uuid, order_id bigint, failed_step text, reason text, message text, lines json) RETURNS json
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'holdfast_event_order_failed_v1';
COMMENT ON FUNCTION holdfast.event_order_failed_v1 IS
    'The payload of an order-failed event; lines is copied as it is, null means [].';

REVOKE ALL ON FUNCTION holdfast.uuid_v7(),
    holdfast.event_inventory_updated_v1(uuid, bigint, bigint, bigint, bigint, bigint, text, bigint),
    holdfast.event_order_failed_v1(uuid, bigint, text, text, text, json) FROM PUBLIC;
