"""Which records stand in one leaderboard: never two versions, two seeds or two answers mixed."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tonedeaf.results import Record
from tonedeaf.results.boards import boards, trials_text

MakeRecord = Callable[..., Record]
HOUSE = {"sample_rate": 44100.0, "duration": 0.5, "perturbed_phase": "shared", "fmin": 30.0}


@pytest.fixture
def make(make_record: MakeRecord) -> MakeRecord:
    def made(distance: str, task: str = "sines", *, version: int = 1, trials: int = 100, **more: Any) -> Record:
        params = HOUSE | more.pop("params", {})
        record = make_record(distance=distance, task=task, trials=trials, task_params=params, **more)
        return msgspec.structs.replace(record, task=msgspec.structs.replace(record.task, version=version))

    return made


def test_seed_sample_rate_and_phases_divide_boards(make: MakeRecord):
    records = [
        make("a"),
        make("a", "tilt"),
        make("a", seed=7),
        make("a", params={"sample_rate": 16000.0}),
        make("a", params={"perturbed_phase": "new"}),
    ]
    found, aside = boards(records)
    assert [(one.seed, one.sample_rate, one.phases, one.tasks) for one in found] == [
        (0, 44100.0, "shared", ("sines", "tilt")),
        (0, 16000.0, "shared", ("sines",)),
        (0, 44100.0, "new", ("sines",)),
        (7, 44100.0, "shared", ("sines",)),
    ]
    assert aside == []
    assert found[0].title == "44.1 kHz, 0.5 s, seed 0, n = 100"
    assert found[2].title.endswith("new phases")


def test_an_older_version_of_a_task_is_set_aside(make: MakeRecord):
    (board,), (aside,) = boards([make("a", version=1), make("b", version=2)])
    assert [one.distance.name for one in board.records] == ["b"]
    assert aside.what.startswith("ranking of a on sines")
    assert aside.reason == "version 1 of the task; version 2 is published"


def test_other_parameters_of_a_task_are_set_aside(make: MakeRecord):
    records = [make("a"), make("b"), make("c", params={"fmin": 60.0}), make("d", params={"duration": 2.0})]
    (board,), (aside,) = boards(records)
    assert [one.distance.name for one in board.records] == ["a", "b", "d"], "only the duration may differ"
    assert board.duration == 0.5
    assert "of c on sines" in aside.what


def test_another_duration_is_another_board(make: MakeRecord):
    records = [make(name, params={"duration": seconds}) for name, seconds in (("a", 0.5), ("b", 0.5), ("a", 2.0))]
    found, aside = boards(records)
    assert [(board.duration, [one.distance.name for one in board.records]) for board in found] == [
        (0.5, ["a", "b"]),
        (2.0, ["a"]),
    ]
    assert not aside
    found, _ = boards([*records, make("c"), make("long", params={"duration": 2.0})])
    names = [[one.distance.name for one in board.records] for board in found]
    assert names == [["a", "b", "c", "long"], ["a", "long"]]
    assert [board.title.split(", ")[1] for board in found] == ["0.5 s", "2 s"]


def test_the_usual_number_of_trials_is_taken_where_there_are_several(make: MakeRecord):
    records = [*map(make, "abd"), make("a", trials=1000), make("c", trials=1000), make("c", trials=50)]
    (board,), aside = boards(records)
    assert {one.distance.name: one.trials for one in board.records} == {"a": 100, "b": 100, "c": 1000, "d": 100}
    assert (board.trials, aside) == (100, [])
    assert board.title == "44.1 kHz, 0.5 s, seed 0, n = 100 to 1000"
    (board,), _ = boards([*records, make("a", "tilt")])
    assert board.title.endswith("n = 100"), "only one has answered both tasks"
    assert board.title_of_all.endswith("n = 100 to 1000")
    assert [trials_text(board.of_distance(name)) for name in ("a", "c", "e")] == ["100", "1000", ""]


def test_costs_are_those_of_the_boards_distances_at_its_rate_and_duration(make: MakeRecord):
    def cost(distance: str, **params: Any) -> Record:
        numbers = {"forward_ms": 1.0, "backward_ms": 1.0, "kept_mib": 1.0}
        return make(distance, kind="cost", metrics=numbers, params=params)

    fitting = cost("a")
    others = [cost("a", duration=2.0), cost("a", sample_rate=16000.0), cost("stranger")]
    (board,), _ = boards([make("a")], [*others, fitting])
    assert board.costs == (fitting,)
    (board,), _ = boards([make("a")], others)
    assert board.costs == (), "what it costs elsewhere is not shown here"


def test_tasks_are_in_the_order_that_is_given(make: MakeRecord):
    (board,), _ = boards([make("a", task) for task in ("x", "b", "sines")], tasks=("sines", "x"))
    assert board.tasks == ("sines", "x", "b")
