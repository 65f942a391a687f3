"""A shop on holdfast, called from Python with psycopg 3.

    PGHOST=... PGDATABASE=... PGUSER=... python3 shop.py      or:  python3 shop.py 'postgres://...'
"""

import sys
import uuid

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb


def place_order(connection, user_id, lines, key):
    """The order's id, its status, and detail."""
    return connection.execute("CALL holdfast.place_order(%s, %s, %s)", (user_id, Jsonb(lines), key)).fetchone()


def main():
    dsn = sys.argv[1] if len(sys.argv) > 1 else ""  # what it does not say is taken from PGHOST and its like
    # autocommit: at top level the procedure releases its stock locks before it waits for the disk (durability
    # elr). In a transaction, which psycopg opens otherwise, it cannot commit, and they are held until you do.
    with psycopg.connect(dsn, autocommit=True, row_factory=namedtuple_row) as connection:
        # Made when the customer presses "buy", and kept over every retry of that order.
        key = f"cart-{uuid.uuid4()}"

        first = place_order(connection, 7, [{"productId": 1, "quantity": 3}], key)
        print(f"placed: order {first.order_id} is {first.status}, durability {first.detail['durability']}")

        again = place_order(connection, 7, [{"productId": 1, "quantity": 3}], key)  # no answer came? call again
        print(f"repeated: order {again.order_id} is {again.status}, replayed {str(again.detail['replayed']).lower()}")

        lines = [{"productId": 1, "quantity": 1}, {"productId": 2, "quantity": 1000}]
        refused = place_order(connection, 7, lines, f"{key}-2")  # an answer, not an exception
        print(f"refused: order {refused.order_id} is {refused.status}, reason {refused.detail['reason']}")

        try:
            place_order(connection, 7, [{"productId": 999, "quantity": 1}], f"{key}-3")
            raise AssertionError("HF002 was expected")
        except psycopg.Error as error:
            if error.sqlstate != "HF002":  # unknown product
                raise
            print(f"wrong: {error.sqlstate} {error.diag.message_primary}")

        trace_id = connection.execute("SELECT holdfast.submit_order(%s, %s, %s)",
                                      (7, Jsonb([{"productId": 1, "quantity": 1}]), f"{key}-4")).fetchone()[0]
        request = connection.execute("SELECT holdfast.order_status(%s::uuid, %s)", (trace_id, 7)).fetchone()[0]
        print(f"submitted: request {trace_id} is {request['status']}")  # COMPLETED once a relay runs

        connection.execute("CALL holdfast.complete_order(%s)", (first.order_id,))  # it is paid
        order = connection.execute("SELECT holdfast.order_status(%s::bigint)", (first.order_id,)).fetchone()[0]
        print(f"completed: order {first.order_id} is {order['status']}, {order['finalTotalAmount']} {order['currency']}")


if __name__ == "__main__":
    main()
