"""Random orders, payments, refusals, duplicates, timeouts and accidents: however they meet, every order comes
to a legal end, money and stock add up, and each compensation has happened once.

HOLDFAST_WALK_SEED repeats the decisions of a walk, HOLDFAST_WALK_SECONDS says for how long to go on; after a
minute a new walk begins, in a new shop.
"""

import os
import random

import pytest
from harness.walk import Walk

SECONDS = float(os.environ.get("HOLDFAST_WALK_SECONDS", "30"))
SEED = int(os.environ.get("HOLDFAST_WALK_SEED") or random.randrange(1 << 30))
ROUND_S = 60
REST_S = 10  # of each round, for coming to rest and for the checks


@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, round(SECONDS / ROUND_S))))
def test_every_order_ends_well(make_shop, seed):
    print(f"HOLDFAST_WALK_SEED={seed}")
    walk = Walk(make_shop(), seed)
    try:
        ends = walk.run(max(5, min(SECONDS, ROUND_S) - REST_S))
    finally:
        walk.shop.close()
        walk.shop.kafka.delete(*(t for t in walk.shop.kafka.names() if t.startswith(walk.shop.prefix)))
    print(f"{sum(ends.values())} orders: {dict(ends)}; accidents: {walk.accidents}")
    assert ends["COMPLETED"] > 0
