"""Change events: the scene of a table that knows nothing of holdfast."""

import json
import textwrap

from harness.change_events import change_events, folded
from harness.relay import toml
from harness.waiting import wait_until
from show import claim, heading, say, sql, table

TOPIC = "shop.public.customer"
CONNECTOR = {"topic.prefix": "shop", "table.include.list": "public.customer", "snapshot.mode": "no_data",
             "key.converter.schemas.enable": False, "value.converter.schemas.enable": False}
CUSTOMERS = 2_000  # of before anybody asked


def run(shop, statement):
    sql(statement)
    shop.query(statement)


def captured(stage):
    shop, relay = stage.shop, stage.relay
    heading("10. Change events: another table of the shop, row by row, in Debezium's envelope")
    run(shop, "CREATE TABLE customer (id int PRIMARY KEY, name text, city text)")
    run(shop, "ALTER TABLE customer REPLICA IDENTITY FULL")
    run(shop, f"INSERT INTO customer SELECT n, 'customer ' || n, 'Seoul' FROM generate_series(1, {CUSTOMERS}) n")
    run(shop, "GRANT SELECT ON customer TO shop_relay")
    relay.terminate()
    run(shop, "ALTER PUBLICATION holdfast ADD TABLE customer")
    run(shop, "ALTER PUBLICATION holdfast SET (publish = 'insert, update, delete')")
    say("\n  A section of Debezium's properties in the relay's configuration:\n")
    say(textwrap.indent(toml({"connector": CONNECTOR}), "    "))
    relay.write_config(connector=CONNECTOR)
    relay.start().wait_ready()
    shop.kafka.create(TOPIC, partitions=shop.partitions)

    def events():
        return change_events(shop.kafka, TOPIC)
    run(shop, "INSERT INTO customer VALUES (7001, 'Ann', 'Busan')")
    run(shop, "UPDATE customer SET city = 'Jeju' WHERE id = 7001")
    run(shop, "DELETE FROM customer WHERE id = 7001")
    wait_until(lambda: len(events()) >= 4, lambda: f"four records are in {TOPIC}; there are {events()}")
    found = events()
    table(("key", "op", "before", "after"), [(json.dumps(key), *((value["op"], json.dumps(value["before"]), json.dumps(value["after"]))
                                                                if value else ("", "", "no value: a tombstone"))) for key, value in found])
    busan, jeju = ({"id": 7001, "name": "Ann", "city": city} for city in ("Busan", "Jeju"))
    claim("created, updated, deleted, and a tombstone for the compaction, under the row's key",
          [(key, value and (value["op"], value["before"], value["after"])) for key, value in found] == [
              ({"id": 7001}, ("c", None, busan)), ({"id": 7001}, ("u", busan, jeju)), ({"id": 7001}, ("d", jeju, None)), ({"id": 7001}, None)],
          found)
    say("\n  What was there before is read from the table, chunk by chunk, while it changes and the stream goes on.\n")
    run(shop, "CALL holdfast.snapshot('public.customer')")
    for statement in ("UPDATE customer SET city = 'Busan' WHERE id % 10 = 0", f"DELETE FROM customer WHERE id = {CUSTOMERS}",
                      "INSERT INTO customer VALUES (7002, 'Bob', 'Jeju')"):
        run(shop, statement)
    call = "SELECT data_collection, status, rows_sent FROM holdfast.snapshots"
    sql(call)
    wait_until(lambda: shop.query(call)[0].status == "COMPLETED", lambda: f"the snapshot is complete; {shop.query(call)}")
    rows = shop.query(call)
    table(rows[0]._fields, rows)
    wait_until(lambda: 7002 in folded(events()), "the last change is in the topic")
    found = events()
    read = [value["after"]["id"] for _, value in found if value and value["op"] == "r"]
    claim(f"{len(read):,} rows were read, each once, and marked as an incremental snapshot's", len(read) == len(set(read)) == rows[0].rows_sent
          and all(value["source"]["snapshot"] == "incremental" for _, value in found if value and value["op"] == "r"), len(read))
    there = {row.id: row._asdict() for row in shop.query("SELECT * FROM customer")}
    claim(f"the newest event of each key adds up to the {len(there):,} rows of the table", folded(found) == there)


SCENES = (captured,)
