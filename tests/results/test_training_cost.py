"""What training costs: means over seeds, ratios to the paper's objective, and which records count."""

from collections.abc import Callable
from typing import Any

from tonedeaf.results.record import Record
from tonedeaf.results.training_cost import training_cost_markdown

ARM = {
    "dataset": "A1",
    "preset": "tiny",
    "condition": "audio-only",
    "path": "marginal",
    "segments": 4,
    "segment_seconds": 0.5,
    "start_steps": 1000,
}


def test_one_line_a_loss_the_cheapest_first(make_record: Callable[..., Record]):
    def arm(loss: str, seed: int, ms: float, **changed: Any) -> Record:
        params = {**ARM, **changed.pop("params", {})}
        metrics = {"milliseconds_per_step": ms}
        return make_record(distance=loss, kind="training", seed=seed, metrics=metrics, task_params=params, **changed)

    records = [
        *(arm("mss", seed, ms) for seed, ms in enumerate((290.0, 310.0))),
        *(arm("paper", seed, 100.0) for seed in range(2)),
        arm("mel", 0, 1.0, status="failed"),
        arm("mss", 0, 250.0, params={"path": "soft"}),
        arm("mss", 0, 1.0, params={"start_steps": None}),  # no arm of a study
    ]
    shown = training_cost_markdown(records)
    assert shown.index("path marginal") < shown.index("path soft")
    lines = [[cell.strip() for cell in line.split("|")[1:5]] for line in shown.splitlines() if line.startswith("| `")]
    assert lines == [["`paper`", "2", "100", "1.0"], ["`mss`", "2", "300", "3.0"], ["`mss`", "1", "250", "–"]]
    assert training_cost_markdown([]) == ""
