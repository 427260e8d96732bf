"""When freed memory goes back to the system: often enough for a bound, seldom enough to cost nothing."""

import pytest

from tonedeaf.harnesses import batching
from tonedeaf.harnesses.batching import WORTH_A_TRIM, Growth

MIB = 2**20


class Process:
    """What a process holds, and what of it a trim would leave."""

    def __init__(self, held: int, in_use: int):
        self.held, self.in_use, self.trims = held * MIB, in_use * MIB, 0

    def malloc_trim(self, _: int) -> None:
        self.held, self.trims = self.in_use, self.trims + 1


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    one = Process(held=400, in_use=400)
    monkeypatch.setattr(batching, "_resident_bytes", lambda: one.held)
    monkeypatch.setattr(batching, "_c_library", lambda: one)
    return one


def test_nothing_is_given_back_within_the_budget(process: Process):
    growth = Growth(512 * MIB)
    process.held = 912 * MIB
    growth.check()
    assert process.trims == 0


def test_all_that_is_free_is_given_back_above_the_budget(process: Process):
    growth = Growth(512 * MIB)
    process.held = 913 * MIB
    growth.check()
    assert process.trims == 1
    assert process.held == 400 * MIB


def test_a_process_that_needs_all_of_it_is_left_in_peace_until_it_has_grown(process: Process):
    # 900 MiB of 912 in use: each batch would pass the limit, and giving back what is free would help none of them.
    growth = Growth(512 * MIB)
    process.in_use = 900 * MIB
    for _ in range(10):
        process.held = 920 * MIB
        growth.check()
    assert process.trims == 1
    process.held = process.in_use + WORTH_A_TRIM + MIB
    growth.check()
    assert process.trims == 2


def test_where_memory_cannot_be_given_back_nothing_is_done(process: Process, monkeypatch: pytest.MonkeyPatch):
    growth = Growth(512 * MIB)
    monkeypatch.setattr(batching, "_c_library", lambda: None)
    process.held = 2000 * MIB
    growth.check()
    assert process.held == 2000 * MIB
