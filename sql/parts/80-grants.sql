-- Part 80: who may do what.  Nobody gets anything by default; the three kinds of role get what their
-- work needs, and none of them may write a table.

CREATE FUNCTION holdfast.grant_app(role regrole) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA holdfast TO %s', role);
    EXECUTE format('GRANT SELECT ON holdfast.product, holdfast.stock, holdfast.orders, holdfast.order_line,
                        holdfast.reservation, holdfast.payment, holdfast.order_history, holdfast.payment_history,
                        holdfast.pending_payments, holdfast.product_metric, holdfast.saga, holdfast.saga_step TO %s', role);
    EXECUTE format('GRANT EXECUTE ON PROCEDURE holdfast.place_order, holdfast.place_order_item, holdfast.place_orders,
                        holdfast.complete_order, holdfast.fail_order, holdfast.cancel_order, holdfast.extend_hold,
                        holdfast.begin_payment, holdfast.complete_payment, holdfast.fail_payment,
                        holdfast.refund_payment TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION holdfast.order_status(bigint), holdfast.order_status(uuid, bigint),
                        holdfast.submit_order, holdfast.availability, holdfast.coupon_availability, holdfast.price_order,
                        holdfast.trace(bigint), holdfast.trace(text),
                        holdfast.waiting_join, holdfast.waiting_position, holdfast.waiting_leave, holdfast.waiting_rooms,
                        holdfast.emit, holdfast.next_order_id, holdfast.uuid_v7 TO %s', role);
END
$$;
COMMENT ON FUNCTION holdfast.grant_app(regrole) IS 'For applications: places, pays and ends orders, emits events, reads orders, payments, stock and metrics.';

CREATE FUNCTION holdfast.grant_relay(role regrole) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM create_publication();
    EXECUTE format('GRANT USAGE ON SCHEMA holdfast TO %s', role);
    EXECUTE format('GRANT SELECT ON holdfast.outbox, holdfast.inbox_offset, holdfast.relay_state, holdfast.relay_status,
                        holdfast.outbox_status, holdfast.dead_letter, holdfast.snapshot_run, holdfast.snapshot_table,
                        holdfast.snapshot_notification, holdfast.snapshots TO %s', role);
    -- It takes snapshots, and asks for them when it is told so by its own command line.
    EXECUTE format('GRANT EXECUTE ON PROCEDURE holdfast.snapshot TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION holdfast.snapshot_start, holdfast.snapshot_add, holdfast.snapshot_skip,
                        holdfast.snapshot_progress, holdfast.snapshot_end, holdfast.snapshot_next,
                        holdfast.snapshot_collections, holdfast.snapshot_request, holdfast.snapshot_pause,
                        holdfast.snapshot_resume, holdfast.snapshot_stop TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION holdfast.inbox_claim, holdfast.inbox_apply, holdfast.inbox_admit,
                        holdfast.inbox_refuse, holdfast.inbox_lock, holdfast.notify_event_id, holdfast.notify_admit, holdfast.notify_record,
                        holdfast.notify_take, holdfast.notify_settle, holdfast.is_transient, holdfast.json_event_id, holdfast.short_key,
                        holdfast.partition_ranges, holdfast.confirmed_lsn, holdfast.uuid_v7_time,
                        holdfast.relay_report, holdfast.relay_take_slot, holdfast.relay_leave_slot, holdfast.record_positions, holdfast.keep_large_record, holdfast.refuse_large_record,
                        holdfast.maintain, holdfast.expire_holds,
                        holdfast.saga_sweep, holdfast.saga_take, holdfast.saga_undone, holdfast.retry_early, holdfast.early_take,
                        holdfast.early_again, holdfast.early_retention, holdfast.dead_letter_retry, holdfast.dead_letter_next,
                        holdfast.dead_letter_settle, holdfast.dead_letter_follow, holdfast.is_endpoint,
                        holdfast.on_order_created, holdfast.on_order_created_batch, holdfast.on_inventory_reserved,
                        holdfast.on_saga_event, holdfast.on_saga_event_batch,
                        holdfast.on_order_failed, holdfast.on_order_failed_batch, holdfast.on_payment_completed,
                        holdfast.on_payment_completed_batch, holdfast.on_payment_failed, holdfast.on_payment_failed_batch,
                        holdfast.on_order_request, holdfast.on_order_request_batch,
                        holdfast.on_catalog_event, holdfast.on_catalog_event_batch, holdfast.price_order TO %s', role);
    -- The output plugin, for this role alone.  Minor releases before August 2026 have no such setting, and
    -- only those who may set it see it.
    IF has_parameter_privilege('output_plugin_libraries', 'SET')
            AND EXISTS (SELECT FROM pg_settings WHERE name = 'output_plugin_libraries') THEN
        EXECUTE format('ALTER ROLE %s SET output_plugin_libraries = pgoutput, holdfast', role);
    END IF;
END
$$;
COMMENT ON FUNCTION holdfast.grant_relay(regrole) IS
    'For the relay: streams the outbox (makes the publication; the role also needs REPLICATION), applies batches with the handlers of this extension, takes snapshots, sweeps sagas, keeps house, and (given by a superuser) may use the output plugin holdfast. Handlers and compensations of your own need a grant of their own.';

CREATE FUNCTION holdfast.grant_admin(role regrole) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, holdfast, pg_temp
AS $$
BEGIN
    PERFORM grant_app(role);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA holdfast TO %s', role);
    EXECUTE format('GRANT EXECUTE ON PROCEDURE holdfast.set_product, holdfast.restock, holdfast.adjust_stock,
                        holdfast.saga_resolve, holdfast.set_product_limits, holdfast.set_product_room, holdfast.set_waiting_room,
                        holdfast.remove_waiting_room, holdfast.set_coupon, holdfast.stop_coupon, holdfast.snapshot TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION holdfast.reconcile, holdfast.reconcile_coupons, holdfast.rebuild_stock, holdfast.replay,
                        holdfast.snapshot_collections, holdfast.snapshot_request,
                        holdfast.snapshot_pause, holdfast.snapshot_resume, holdfast.snapshot_stop,
                        holdfast.fetch_event, holdfast.register_saga, holdfast.saga_sweep, holdfast.saga_take, holdfast.saga_undone,
                        holdfast.retry_early, holdfast.early_take, holdfast.early_again, holdfast.early_retention,
                        holdfast.expire_holds, holdfast.maintain, holdfast.forget_slot, holdfast.redrive, holdfast.discard,
                        holdfast.dead_letter_lock, holdfast.dead_letter_next, holdfast.dead_letter_settle, holdfast.dead_letter_retry,
                        holdfast.dead_letter_follow, holdfast.is_endpoint, holdfast.is_transient,
                        holdfast.partition_ranges, holdfast.confirmed_lsn, holdfast.uuid_v7_time, holdfast.uuid_v7_floor,
                        holdfast.on_order_failed, holdfast.on_payment_completed, holdfast.on_payment_failed,
                        holdfast.on_order_request, holdfast.on_order_created, holdfast.on_inventory_reserved,
                        holdfast.on_saga_event, holdfast.on_catalog_event TO %s', role);
END
$$;
COMMENT ON FUNCTION holdfast.grant_admin(regrole) IS
    'For operators: what applications may, products, stock and coupons, all tables and views to read, snapshots, dead letters, maintenance.';
