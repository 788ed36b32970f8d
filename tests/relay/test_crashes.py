"""The relay is killed at random moments, brokers too: nothing lost, nothing leaked, and what came
twice came under one id. ``python -m bench.relay --crashes 20`` does it with 100,000 messages."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest
from servers import broker, own_broker

from bench.brokers import KINDS, PROGRAMS
from bench.relay import crashes

MANY, KILLS = 2000, 3


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost(kind, tmp_path):
    own = own_broker(kind, tmp_path) if kind in PROGRAMS else nullcontext()
    with own as server:
        if server is None:
            broker(kind)
        kills = 2 if kind == "kafka" else KILLS  # a group misses a dead member for six seconds
        done = asyncio.run(
            crashes(kind, MANY, kills, own=server, batch=20, rules="github-pat,private-key")
        )
    assert (done.lost, done.leaked, done.unmarked) == (0, 0, 0)
    assert done.out >= MANY
    assert done.restarts == (1 if kind in PROGRAMS else 0)
