"""The saga round trip under load: orders at a rate, from the moment at which an order was due to the commit
that completed it."""

import pgbench
from report import Row, percentile

RATE = 200
WARM_UP_S = 20  # of these two cores the broker's just-in-time compilers take one at first
PRODUCTS = 100
# The user tells which transaction an order is of.
SCRIPT = """\\set n :n + 1
\\set user :client_id * 1000000 + :n
\\set product random(1, %d)
CALL holdfast.place_order_item(:user, :product, 1);
""" % PRODUCTS


def run(shop, seconds, say):
    for product in range(1, PRODUCTS + 1):
        shop.product(product, 1_000, 100_000_000)
    relay = shop.run_relay("load", postgres={"slot": "load"})
    shop.payment_service()
    placed = pgbench.run(shop, SCRIPT, "-D", "n=0", "-c", 16, "-j", 1, "-R", RATE, "-T", seconds + WARM_UP_S)
    shop.wait_settled()
    # When a row's newest version was committed: the transaction that completed the order.
    completed = {r.user_id: r.at for r in shop.query(
        "SELECT user_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at FROM holdfast.orders WHERE status = 'COMPLETED'")}
    assert len(completed) == len(placed), f"{len(placed)} orders were placed, {len(completed)} are COMPLETED"
    began = placed[0].due_s
    measured = [t for t in placed if t.due_s - began >= WARM_UP_S]
    took = [(completed[t.client * 1_000_000 + t.number] - t.due_s) * 1000 for t in measured]
    calls = [(t.done_s - t.due_s) * 1000 for t in measured]
    rate = len(measured) / (measured[-1].due_s - measured[0].due_s)
    p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
    say(f"round trip of {len(took):,} orders at {rate:.0f}/s: p50 {p50:.1f} ms, p90 {percentile(took, 0.9):.1f} ms, p99 {p99:.1f} ms, "
        f"max {max(took):.0f} ms; the CALL alone: p50 {percentile(calls, 0.5):.2f} ms, p99 {percentile(calls, 0.99):.1f} ms")
    relay.terminate()
    shop.cluster.drop_slot("load")
    return [
        Row(f"saga round trip at {RATE} orders/s, p50", f"{p50:.1f} ms", "≤ 25 ms", p50 <= 25),
        Row(f"saga round trip at {RATE} orders/s, p99", f"{p99:.1f} ms", "≤ 80 ms", p99 <= 80),
    ], [f"Round trip at a rate: orders due at random moments (`pgbench -R {RATE}`) for {seconds} s, after {WARM_UP_S} s to warm up, whether or not "
        "those before them were answered; from the moment at which an order was due to PostgreSQL's timestamp of the commit that made it "
        f"COMPLETED. {PRODUCTS} products, topics of 4 partitions, `examples/payment_service.py` without delay."]
