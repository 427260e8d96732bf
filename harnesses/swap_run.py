"""The command ``swap``: rank losses, train every arm, evaluate, and compare: does a loss that ranks well train well?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch

from ..bassnet.audio_term import CONDITIONS, Condition
from ..bassnet.config import SAMPLE_RATE, preset
from ..bassnet.dataset import Dataset, open_dataset
from ..bassnet.split import check_apart
from ..results.leaderboard import Standing
from ..results.ranking_and_training import associations
from ..results.record import Record
from ..results.store import RecordStore
from ..results.training_comparison import ArmResult, compare_arms
from . import screens
from .answers import failed
from .arms import ArmRecords, train_arm, train_start
from .bassnet_losses import BASELINES, distance_of
from .execution import GPU, check_parallelism, execute
from .rank_run import RankOptions, print_json, rank_suite
from .screen_swap import arms_notes, arms_table, association_lines
from .selection import bottom, standings, top
from .study import Arm, Study
from .suites import HOUSE_MODE

LADDER = ("all",)


@dataclass(frozen=True, kw_only=True)
class SwapOptions:
    """What ``tonedeaf swap`` was told; the fields are its options."""

    losses: tuple[str, ...] = ()
    top: int | None = None
    bottom: int | None = None
    by: str = "minimum"
    data: Path
    held_out: Path | None = None
    preset: str = "tiny"
    conditions: tuple[Condition, ...] = CONDITIONS
    path: str | None = None
    target: str = "oracle"
    segments: int = 4
    segment_seconds: float = 0.5
    start_steps: int = 1000
    steps: int = 200
    seeds: int = 3
    first_seed: int = 0
    trials: int = 200
    device: str = "auto"
    workers: int = 1
    dask: str | None = None
    out: Path = Path("runs")
    debug: bool = False


def run(options: SwapOptions, *, as_json: bool) -> int:
    """Rank, train, evaluate, compare, print, and return the exit status: 1 if an arm failed.

    Raises:
        ValueError: if the call is wrong; nothing has been computed then.
    """
    study = study_of(options)
    RecordStore(options.out).check_writable()
    with redirect_stdout(sys.stderr) if as_json else nullcontext():  # what a plug-in prints is not ours
        rankings = rank_losses(options)
        ranked = standings(RecordStore(options.out), rankings) if rankings else []
        losses = chosen_losses(options, ranked)
        trained = train_arms(study, losses, options)
    evaluations = [one.evaluation for one in trained if one.evaluation is not None]
    unfinished = [one.training for one in trained if one.evaluation is None]
    if as_json:
        print_json([*rankings, *evaluations, *unfinished])
    else:
        _print(_compared([*evaluations, *unfinished]), ranked, options.out)
    return 1 if failed([*rankings, *unfinished]) else 0


def _compared(records: Sequence[Record]) -> list[ArmResult]:
    """The arms of each condition, which may have a path of its own."""
    conditions = dict.fromkeys(record.task.params["condition"] for record in records)
    return [
        result
        for condition in conditions
        for result in compare_arms([one for one in records if one.task.params["condition"] == condition])
    ]


def study_of(options: SwapOptions) -> Study:
    """What the arms share; what is wrong with the call is found here, before anything is computed.

    Raises:
        ValueError: if something is wrong.
    """
    check_parallelism(options.workers, options.dask)
    preset(options.preset)
    dataset = open_dataset(options.data)
    if options.held_out is not None:
        _check_held_out(open_dataset(options.held_out), dataset)
    if not options.losses and options.top is None:
        raise ValueError("name the losses to swap in: --loss mss --loss tonedeaf; or how many of the best: --top 4")
    if options.seeds < 1 or options.trials < 0:
        raise ValueError(f"seeds must be at least 1 and trials not negative, got {options.seeds} and {options.trials}")
    if options.trials == 0 and (options.top is not None or options.bottom is not None):
        raise ValueError("--top and --bottom choose by rank: --trials must be at least 1")
    if doubled := sorted(set(BASELINES) & set(options.losses)):
        raise ValueError(f"{doubled[0]} is a baseline, and is trained anyway: leave out --loss {doubled[0]}")
    study = Study(
        data=options.data,
        out=options.out,
        preset=options.preset,
        device=_device(options.device),
        path=options.path,
        target=options.target,
        segments=options.segments,
        segment_seconds=options.segment_seconds,
        start_steps=options.start_steps,
        steps=options.steps,
        judges=options.losses,
        heard_seed=options.first_seed,
        held_out=options.held_out,
    )
    terms = [study.term(condition) for condition in options.conditions]
    for loss in options.losses:
        for term in terms:
            distance_of(loss, term, preset(options.preset).cqt)
    return study


def _check_held_out(held_out: Dataset, dataset: Dataset) -> None:
    """The songs that judge must be of the kind that the arms learn from, and none of theirs.

    Raises:
        ValueError: if they are not.
    """
    if held_out.manifest.dataset != dataset.manifest.dataset:
        kinds = f"{held_out.manifest.dataset}, not of {dataset.manifest.dataset}"
        raise ValueError(f"the songs of {held_out.folder} are of {kinds}: arms are judged by songs of their own kind")
    check_apart(held_out, dataset)


def rank_losses(options: SwapOptions) -> list[Record]:
    """The rankings of the losses on the whole ladder, at BassNet's sample rate; all that can be ranked without any."""
    if not options.trials:
        return []
    asked = RankOptions(
        distances=options.losses,
        every=not options.losses,
        tasks=LADDER,
        trials=options.trials,
        sample_rate=SAMPLE_RATE,
        device=options.device,
        workers=options.workers,
        dask=options.dask,
        out=options.out,
        debug=options.debug,
    )
    screens.note(f"ranking on the ladder, {options.trials} trials each, at {SAMPLE_RATE} Hz")
    return rank_suite(asked, HOUSE_MODE)


def chosen_losses(options: SwapOptions, ranked: Sequence[Standing]) -> tuple[str, ...]:
    """The losses of the arms: those that were named, or of these the best and the worst.

    Raises:
        ValueError: if there are not so many.
    """
    if options.top is None and options.bottom is None:
        return tuple(dict.fromkeys(options.losses))
    best = () if options.top is None else top(ranked, options.top, by=options.by)
    worst = () if options.bottom is None else bottom(ranked, options.bottom, by=options.by)
    return tuple(dict.fromkeys((*best, *worst)))


def train_arms(study: Study, losses: Sequence[str], options: SwapOptions) -> list[ArmRecords]:
    """Train the starts, then the arms, each where there is room; those that are there already are read.

    Raises:
        ValueError: if a start cannot be trained.
    """
    arms = [
        Arm(study=study, loss=loss, condition=condition, seed=seed)
        for seed in range(options.first_seed, options.first_seed + options.seeds)
        for condition in options.conditions
        for loss in (*BASELINES, *losses)
    ]
    starts = list(dict.fromkeys(arm.start for arm in arms))
    resources = {GPU: 1} if study.device.startswith("cuda") else None
    with closing(
        execute(train_start, starts, workers=options.workers, dask=options.dask, resources=resources)
    ) as trained:
        for number, done in enumerate(trained, 1):
            screens.note(f"start {number}/{len(starts)}: {done.result.name}")
    found: dict[int, ArmRecords] = {}
    with closing(execute(train_arm, arms, workers=options.workers, dask=options.dask, resources=resources)) as judged:
        for number, done in enumerate(judged, 1):
            found[done.index] = done.result
            screens.note(f"arm {number}/{len(arms)}: {_told(done.item, done.result)}")
    return [found[index] for index in range(len(arms))]


def _told(arm: Arm, records: ArmRecords) -> str:
    """One line about an arm that is done."""
    what = f"{arm.loss}, {arm.condition}, seed {arm.seed}"
    if records.evaluation is None:
        return f"{what}: failed: {records.training.reason}"
    pitch = records.evaluation.metrics["raw_pitch_accuracy"]["value"]
    return f"{what}: raw pitch accuracy {pitch:.3f}, {records.training.metrics['training_seconds']:.0f} s"


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def _print(results: Sequence[ArmResult], ranked: Sequence[Standing], folder: Path) -> None:
    console = screens.out()
    for condition, of_condition in _by_condition(results):
        console.print(f"[bold]{condition}[/bold]: BassNet, trained with each loss and judged on held-out songs")
        console.print(arms_table(of_condition))
        for line in arms_notes(of_condition):
            console.print(line, markup=False)
    lines = association_lines(associations(ranked, results))
    if lines:
        console.print("\n[bold]does a loss that ranks well train well?[/bold]")
        for line in lines:
            console.print(line, markup=False)
    console.print(f"records: {folder}", markup=False)


def _by_condition(results: Sequence[ArmResult]) -> Iterator[tuple[str, list[ArmResult]]]:
    for condition in dict.fromkeys(result.arm.condition for result in results):
        yield condition, [result for result in results if result.arm.condition == condition]
