"""Two collections of records compared: what became better or worse, on the same trials, beyond noise.

Two answers to one question are paired trial by trial. With ``b`` trials that only the later one got right and ``c``
that only the earlier one did, the difference is ``(b − c)/n``; that it is noise is tested exactly (McNemar: under that
hypothesis ``b`` is binomial with ``b + c`` trials and probability ½). Trained models are paired by seed (Student's t of
the differences). All tests of a comparison are corrected together (Holm), at 5 %.

Sources: McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947);
Newcombe, Improved confidence intervals for the difference between binomial proportions based on paired data, Statistics
in Medicine 17 (1998), method 10; Holm 1979 (see :mod:`.rank_association`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from .canonical import canonical_json
from .collection import Collection, SetAside, name_of, newest
from .intervals import CONFIDENCE, wilson
from .outcomes import OUTCOME_KINDS, right
from .rank_association import holm
from .record import Record
from .seed_intervals import seed_mean
from .studies import KIND as EVALUATION
from .training_comparison import METRICS, figure

LEVEL = 1 - CONFIDENCE
Judgement = Literal["better", "worse", "same"]
_Answers = dict[tuple[str, ...], Record]
"""A question to its answer."""


@dataclass(frozen=True)
class Change:
    """One figure before and after.

    Attributes:
        kind: of the records.
        distance: whose figure it is.
        task: on which task.
        what: a column, or a metric of training.
        before: the figure in the first collection.
        after: in the second.
        low: lower end of the 95 % interval of the difference, after − before; None where there is none.
        high: upper end.
        n: how many trials, or seeds.
        p: that it is noise, corrected for all figures of the comparison; None where that cannot be tested.
        judgement: ``better`` or ``worse`` if p is below 5 %, else ``same``.
        keys: of a record before and of one after.
    """

    kind: str
    distance: str
    task: str
    what: str
    before: float
    after: float
    low: float | None
    high: float | None
    n: int
    p: float | None
    judgement: Judgement
    keys: tuple[str, str]

    @property
    def difference(self) -> float:
        """After − before."""
        return self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """What two collections say about the same questions.

    Attributes:
        changes: the figures that both have: worse ones first, then better ones.
        same_key: how many pairs of records have one key: the same question, asked of the same code.
        identical: how many pairs have the same outcomes, trial by trial.
        pairs: how many pairs of records there are.
        lost: what had an answer before and has none after: it failed, or cannot run.
        missing: records that only one side has.
        set_aside: what cannot be compared, and why.
    """

    changes: tuple[Change, ...]
    same_key: int
    identical: int
    pairs: int
    lost: tuple[SetAside, ...]
    missing: tuple[SetAside, ...]
    set_aside: tuple[SetAside, ...]

    @property
    def regressions(self) -> int:
        """How many figures became worse beyond noise, and how many answers were lost."""
        return sum(change.judgement == "worse" for change in self.changes) + len(self.lost)


def compare(before: Collection, after: Collection) -> Comparison:
    """Compare what both collections answer.

    Raises:
        ValueError: if they have no question in common: nothing compared is no success.
    """
    aside: list[SetAside] = [*before.set_aside, *after.set_aside]
    ours, theirs = (_by_question(side, aside) for side in (before, after))
    lost: list[SetAside] = []
    changes: list[Change] = []
    same_key = identical = pairs = 0
    for question in sorted(ours.keys() & theirs.keys()):
        first, second = ours[question], theirs[question]
        if first.status != "ok":
            continue
        if second.status != "ok":
            lost.append(SetAside(name_of(second), f"{second.status}: {second.reason}"))
            continue
        pairs += 1
        same_key += first.key == second.key
        found, equal = _of_trials(first, before, second, after)
        identical += equal
        changes.extend(found)
    changes.extend(_of_training(before, after, aside))
    if not pairs and not changes and not lost:
        raise ValueError(f"the two have no question in common: {_why_not(ours, theirs, aside)}")
    missing = [*_missing(ours, theirs, "first", "second"), *_missing(theirs, ours, "second", "first")]
    order = {"worse": 0, "better": 1, "same": 2}
    judged = sorted(
        _judged(changes), key=lambda one: (order[one.judgement], one.kind, one.distance, one.task, one.what)
    )
    return Comparison(tuple(judged), same_key, identical, pairs, tuple(lost), tuple(missing), tuple(aside))


def _missing(ours: _Answers, theirs: _Answers, here: str, there: str) -> list[SetAside]:
    """The questions that one side alone answers; a task of another version is named, never compared."""
    versions = {(one.kind, one.distance.name, one.task.name): one.task.version for one in theirs.values()}
    found: list[SetAside] = []
    for question in sorted(ours.keys() - theirs.keys()):
        one = ours[question]
        other = versions.get((one.kind, one.distance.name, one.task.name), one.task.version)
        same = other == one.task.version
        reason = f"only in the {here}" if same else f"version {one.task.version} of the task, {other} in the {there}"
        found.append(SetAside(name_of(one), reason))
    return found


def paired_interval(only_after: int, only_before: int, both: int, n: int) -> tuple[float, float]:
    """Newcombe's 95 % interval of the difference of two proportions of the same trials.

    Args:
        only_after: b, trials that only the later one got right.
        only_before: c, trials that only the earlier one got right.
        both: a, trials that both got right.
        n: of all.
    """
    neither = n - both - only_after - only_before
    first, second = both + only_after, both + only_before
    share1, share2 = first / n, second / n
    (low1, high1), (low2, high2) = wilson(first, n), wilson(second, n)
    product = first * (n - first) * second * (n - second)
    cross = both * neither - only_after * only_before
    phi = (cross - n / 2 if cross > n / 2 else min(cross, 0)) / math.sqrt(product) if product else 0.0
    below = (share1 - low1) ** 2 - 2 * phi * (share1 - low1) * (high2 - share2) + (high2 - share2) ** 2
    above = (high1 - share1) ** 2 - 2 * phi * (high1 - share1) * (share2 - low2) + (share2 - low2) ** 2
    difference = share1 - share2
    return difference - math.sqrt(max(below, 0.0)), difference + math.sqrt(max(above, 0.0))


def _question(record: Record) -> tuple[str, ...]:
    task = record.task
    params = canonical_json(task.params).decode()
    return record.kind, record.distance.name, task.name, params, str(task.version), str(record.seed)


def _by_question(side: Collection, aside: list[SetAside]) -> _Answers:
    """One record for each question of trials: the answer with the most trials, then the latest."""
    own = side.of_kind(*OUTCOME_KINDS)
    most: dict[tuple[str, ...], int] = {}
    for record in own:
        question = _question(record)
        most[question] = max(most.get(question, 0), record.trials or 0)
    kept, earlier = newest([one for one in own if (one.trials or 0) == most[_question(one)]], _question)
    aside.extend(earlier)
    return {_question(record): record for record in kept}


def _of_trials(first: Record, before: Collection, second: Record, after: Collection) -> tuple[list[Change], bool]:
    """The changes of two answers, on the trials that both have, and whether all outcomes are the same."""
    ours, theirs = right(first, before.trials(first)), right(second, after.trials(second))
    trials = min(len(next(iter(side.values()), ())) for side in (ours, theirs))
    changes: list[Change] = []
    for what in ours:
        if what not in theirs:
            continue
        was, now = ours[what][:trials], theirs[what][:trials]
        gained, lost = int((now & ~was).sum()), int((was & ~now).sum())
        low, high = paired_interval(gained, lost, int((was & now).sum()), trials)
        p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
        keys = (first.key[:16], second.key[:16])
        changes.append(
            Change(
                kind=first.kind,
                distance=first.distance.name,
                task=first.task.name,
                what=what,
                before=float(was.mean()),
                after=float(now.mean()),
                low=low,
                high=high,
                n=trials,
                p=p,
                judgement="better" if gained > lost else "worse" if gained < lost else "same",
                keys=keys,
            )
        )
    equal = ours.keys() == theirs.keys() and all(np.array_equal(ours[what], theirs[what]) for what in ours)
    return changes, equal


def _of_training(before: Collection, after: Collection, aside: list[SetAside]) -> list[Change]:
    """The changes of trained models, over the seeds that both have."""
    sides: list[dict[tuple[str, ...], dict[int, Record]]] = []
    for side in (before, after):
        kept, earlier = newest(side.of_kind(EVALUATION), _question)
        aside.extend(earlier)
        arms: dict[tuple[str, ...], dict[int, Record]] = {}
        for record in kept:
            if record.status == "ok":
                arms.setdefault(_question(record)[:-1], {})[record.seed] = record
        sides.append(arms)
    changes: list[Change] = []
    for arm in sorted(sides[0].keys() & sides[1].keys()):
        for metric, more_is_better in METRICS.items():
            found = _over_seeds(sides[0][arm], sides[1][arm], metric, more_is_better)
            changes.extend([found] if found else [])
    return changes


def _over_seeds(ours: dict[int, Record], theirs: dict[int, Record], metric: str, more_is_better: bool) -> Change | None:
    values = {
        seed: (was, now)
        for seed in sorted(ours.keys() & theirs.keys())
        if (was := figure(ours[seed], metric)) is not None and (now := figure(theirs[seed], metric)) is not None
    }
    if not values:
        return None
    mean = seed_mean([now - was for was, now in values.values()])
    first = min(values)
    return Change(
        kind=EVALUATION,
        distance=ours[first].distance.name,
        task=ours[first].task.name,
        what=metric,
        before=seed_mean([was for was, _ in values.values()]).value,
        after=seed_mean([now for _, now in values.values()]).value,
        low=mean.low,
        high=mean.high,
        n=mean.n,
        p=_p_of_differences([now - was for was, now in values.values()]),
        judgement="same" if mean.value == 0 else "better" if (mean.value > 0) == more_is_better else "worse",
        keys=(ours[first].key[:16], theirs[first].key[:16]),
    )


def _p_of_differences(differences: Sequence[float]) -> float | None:
    """Two-sided p of Student's paired t test; None for fewer than 3 seeds, of which no one can tell noise."""
    n = len(differences)
    if n < 3:
        return None
    mean = math.fsum(differences) / n
    variance = math.fsum((each - mean) ** 2 for each in differences) / (n - 1)
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * student.sf(abs(mean) / math.sqrt(variance / n), n - 1))


def _judged(changes: Sequence[Change]) -> list[Change]:
    """The changes with their p corrected for all of them; those that may be noise are the same."""
    tested = [change.p for change in changes if change.p is not None]
    corrected = iter(holm(tested))
    judged: list[Change] = []
    for change in changes:
        p = None if change.p is None else next(corrected)
        sure = p is not None and p < LEVEL
        judged.append(replace(change, p=p, judgement=change.judgement if sure else "same"))
    return judged


def _why_not(ours: _Answers, theirs: _Answers, aside: list[SetAside]) -> str:
    versions = {
        (one.task.name, one.task.version, other.task.version)
        for one in ours.values()
        for other in theirs.values()
        if one.task.name == other.task.name and one.task.version != other.task.version
    }
    if versions:
        task, first, second = min(versions)
        return f"{task} is version {first} in the first and version {second} in the second"
    reason = f"; {aside[0].what}: {aside[0].reason}" if aside else ""
    return f"{len(ours)} questions in the first, {len(theirs)} in the second{reason}"
