#!/usr/bin/env python3
"""`make demo`: the main job of holdfast, shown and checked.

Starts a scratch PostgreSQL below build/, a broker, the relay, the example payment service and an HTTP
endpoint, plays its scenes, and exits with an error if one of its claims does not hold.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test/integration"))

import around  # noqa: E402
import changes  # noqa: E402
import scenes  # noqa: E402
import show  # noqa: E402
from stage import Stage  # noqa: E402


def next_steps(stage, keep):
    show.heading("What to look at next")
    if not keep:
        show.say("  All of this is about to stop; `make demo KEEP=1` leaves it running, at addresses like these.\n")
    psql = f"psql -h {stage.cluster.socket_directory} -p {stage.cluster.port} -U postgres shop"
    http = f"http://127.0.0.1:{stage.relay.http_port}"
    show.say(f"""  {psql}
    CALL holdfast.place_order(7, '[{{"productId": 1, "quantity": 2}}, {{"productId": 3, "quantity": 1}}]', 'my-cart');
    SELECT * FROM holdfast.trace(1);              -- the timeline of an order
    SELECT * FROM holdfast.availability();        -- what can be sold now
    SELECT * FROM holdfast.relay_status;          -- does Kafka have everything
    SELECT * FROM holdfast.outbox_status;         -- how large is the outbox
    SELECT * FROM holdfast.dead_letter;           -- what could not be applied
    SELECT * FROM holdfast.product_metric;        -- what catalog-events add up to
  curl {http}/metrics
  curl {http}/health/ready
  {stage.relay.binary} status --config {stage.relay.config_file}
  kcat -b {stage.kafka.address} -C -t order-events -e      # if you have it
  logs: {stage.shop.directory}
  docs: docs/architecture.md, docs/delivery-guarantees.md""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--relay", type=Path, default=Path("build/release/bin/holdfast-relay"))
    parser.add_argument("--kafka", choices=("embedded", "real"), default="embedded")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    began = time.monotonic()
    show.say("holdfast: orders in PostgreSQL, events in Kafka, and the way back.  Starting ...")
    stage = Stage(options.relay.resolve(), options.kafka)
    try:
        show.say()
        show.table(("", "running"), stage.versions())
        for scene in scenes.SCENES + around.SCENES + changes.SCENES:
            scene(stage)
        next_steps(stage, options.keep)
        failed = show.failed()
        show.say(f"\n{'FAILED: ' + '; '.join(failed) if failed else 'All claims hold.'}  ({time.monotonic() - began:.0f} s)")
        if options.keep:
            show.say("Everything is running; Ctrl-C stops it.")
            signal.pause()
        return 1 if failed else 0
    except KeyboardInterrupt:
        show.say("\nstopping")
        return 0 if options.keep and not show.failed() else 130
    finally:
        stage.close()


if __name__ == "__main__":
    sys.exit(main())
