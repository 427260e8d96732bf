"""Which loss should I use? What the records answer, need by need.

A recommendation is the best of the complete distances by one stated number; nothing is weighed by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .boards import trials_text
from .intervals import Proportion
from .leaderboard import CellName, Standing
from .publication import Publication
from .studies import BASELINES
from .training_text import mean_text

CHANCE = 0.5
LEAST_SEEDS = 3
"""Fewer trained models than this recommend nothing: nobody can tell their loss from their luck."""


@dataclass(frozen=True)
class Advice:
    """A need, the distance that meets it best, the number that says so, and its cost in ms (None if not measured)."""

    need: str
    distance: str
    evidence: str
    milliseconds: float | None


def advice(publication: Publication) -> list[Advice]:
    """What the records recommend; a need that no record speaks of is left out."""
    complete = [one for one in publication.standings[0] if one.complete] if publication.boards else []
    found: list[Advice] = []
    if complete:
        best = max(complete, key=lambda one: (one.minimum, one.mean))
        found.append(_by_cell("right signs: pitch and level", best, best.worst))
        for need, axis in (("right signs: pitch alone", "pitch"), ("right signs: level alone", "level")):
            own = [(one, _worst(one, axis)) for one in complete]
            known = [(one, cell) for one, cell in own if cell is not None]
            if known:
                one, cell = max(known, key=lambda pair: (pair[0].cells[pair[1]], pair[0].mean))
                found.append(_by_cell(need, one, cell))
        found.extend(_cheapest(complete))
    found.extend(_by_descent(publication, complete))
    found.extend(_by_training(publication, complete))
    return found


def verdicts(standing: Standing) -> Counter[str]:
    """How many cells are ``better`` than chance, ``worse`` than chance, ``silent`` or ``neither``.

    By 95 % intervals. A tie, in which the distance does not move, is not right; but only who moves can be worse than a
    coin, so that of those cells the ties are left out. Silent are the others of which half or more are ties.
    """
    return Counter(map(_verdict, standing.proportions.values()))


def _verdict(cell: Proportion) -> str:
    if cell.low > CHANCE:
        return "better"
    if 2 * cell.ties >= cell.n:
        return "silent"
    return "worse" if Proportion.of(cell.successes, cell.n - cell.ties).high < CHANCE else "neither"


def which_loss_markdown(publication: Publication) -> str:
    """Two tables: what to take for which need, and how each distance does against chance; ends with a newline."""
    found = advice(publication)
    if not found:
        return "No record answers this yet.\n"
    lines = ["| you need | take | because | ms a pair |", "|---|---|---|--:|"]
    lines.extend(
        f"| {one.need} | `{one.distance}` | {one.evidence} "
        f"| {'–' if one.milliseconds is None else f'{one.milliseconds:.1f}'} |"
        for one in found
    )
    if publication.boards:
        board, standings = publication.boards[0], publication.standings[0]
        cells = max(len(one.cells) for one in standings)
        lines += [
            "",
            f"Of the cells of each distance (at most {cells}: {len(board.tasks)} tasks; {board.title_of_all}), those "
            "in which it is right more often than a coin, those that cannot be told from one, those in which it moves "
            "and is wrong more often than right (95 % intervals, each cell by itself), and those in which it is "
            "silent: it does not move in half of the trials or more.",
            "",
            "| distance | cells | n | better than chance | no better | worse | silent | worst cell |",
            "|---|--:|--:|--:|--:|--:|--:|---|",
        ]
        for one in standings:
            if one.worst is not None:
                counted, n = verdicts(one), trials_text(board.of_distance(one.distance))
                lines.append(
                    f"| `{one.distance}` | {len(one.cells)} | {n} | {counted['better']} | {counted['neither']} "
                    f"| {counted['worse']} | {counted['silent']} | {one.minimum:.3f} ({_place(one.worst)}) |"
                )
    return "\n".join(lines) + "\n"


def _by_cell(need: str, standing: Standing, cell: CellName | None) -> Advice:
    assert cell is not None
    low, high = standing.intervals[cell]
    evidence = f"worst cell {standing.cells[cell]:.3f} ({low:.3f}–{high:.3f}; {_place(cell)})"
    return Advice(need, standing.distance, evidence, _milliseconds(standing))


def _worst(standing: Standing, axis: str) -> CellName | None:
    own = [cell for cell in standing.cells if cell[1].startswith(f"{axis}_")]
    return min(own, key=lambda cell: standing.cells[cell], default=None)


def _place(cell: CellName) -> str:
    return f"{cell[0]}, {cell[1].replace('_', ' ')}"


def _cheapest(complete: Sequence[Standing]) -> list[Advice]:
    able = [one for one in complete if verdicts(one)["better"] == len(one.cells) and one.cost is not None]
    if not able:
        return []
    best = min(able, key=lambda one: _milliseconds(one) or 0.0)
    return [_by_cell("right signs better than by chance in every cell, in the least time", best, best.worst)]


def _by_descent(publication: Publication, complete: Sequence[Standing]) -> list[Advice]:
    board = publication.descents
    if board is None:
        return []
    found: list[Advice] = []
    for task in board.tasks:
        reached = {
            one.distance.name: (Proportion.from_metric(one.metrics["reached"]), one.metrics["median_steps"] or 0.0)
            for one in board.records
            if one.task.name == task and one.status == "ok"
        }
        if reached:
            name, *others = sorted(reached, key=lambda each: (-reached[each][0].value, reached[each][1], each))
            share, steps = reached[name]
            evidence = (
                f"reaches {share.value:.2f} of the targets ({share.low:.2f}–{share.high:.2f}), median {steps:.0f} steps"
            )
            equals = [each for each in others if reached[each][0].value == share.value]
            if equals:
                evidence += "; as often: " + ", ".join(f"`{each}` ({reached[each][1]:.0f} steps)" for each in equals)
            found.append(Advice(f"gradient descent that arrives, on {task}", name, evidence, _cost_of(name, complete)))
    return found


_SAME = ("preset", "fields", "target")
"""Settings, beside the data that they learn from, in which trainings must agree to be compared by what they reach."""
_TAUGHT = "raw_pitch_accuracy", "raw pitch accuracy {}", 1
_TAUGHT_IN_REPLACE = "harmonic_db_level_free", "harmonics err by {} dB, level-free,", -1
"""By what a loss is chosen: a metric, its words, and whether more is better."""


def _by_training(publication: Publication, complete: Sequence[Standing]) -> list[Advice]:
    """The best loss on the same data and model, by what it teaches, by whichever path and in however many steps.

    In ``replace`` pitch is supervised, and a loss teaches the harmonics' amplitudes; otherwise it teaches pitch. Of
    trainings that were judged by other songs, those by most songs count: what fewer say is not comparable with it.
    """
    best: dict[tuple[str | None, ...], tuple[tuple[int, float], Advice]] = {}
    for study in publication.studies:
        metric, words, sign = _TAUGHT_IN_REPLACE if study.condition == "replace" else _TAUGHT
        means = {arm.arm.loss: arm.metrics[metric] for arm in study.arms if metric in arm.metrics}
        own = [name for name in means if name not in BASELINES and means[name].n >= LEAST_SEEDS]
        if own:
            name = max(own, key=lambda each: sign * means[each].value)
            evidence = words.format(mean_text(means[name])) + f" over {means[name].n} seeds"
            baseline = means.get("paper")
            if baseline is not None:
                evidence += f"; BassNet's own objective: {mean_text(baseline)}"
            one = Advice(f"a trained model ({study.title})", name, evidence, _cost_of(name, complete))
            where = (study.condition, study.trained_on, *(study.settings.get(each) for each in _SAME))
            rank = (max(study.songs, default=0), sign * means[name].value)
            if where not in best or rank > best[where][0]:
                best[where] = rank, one
    return [one for _, one in best.values()]


def _cost_of(name: str, complete: Sequence[Standing]) -> float | None:
    return next((_milliseconds(one) for one in complete if one.distance == name), None)


def _milliseconds(standing: Standing) -> float | None:
    cost = standing.cost
    return None if cost is None else cost.forward_ms + (cost.backward_ms or 0.0)
