"""The command line: ``tonedeaf COMMAND``.

Exit status: 0 done; 1 a distance failed (the others' records are kept); 2 the call was wrong; 130 interrupted. What a
user can get wrong is answered by one line that says what was wrong and what would be right; ``--debug`` shows where.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from .. import __version__

DONE, FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Commands(click.Group):
    """A group that lists commands in the order of use, and names the nearest to a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from ..losses.plugins import unknown

            raise click.UsageError(str(unknown("command", args[0], self.list_commands(ctx))))
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tonedeaf")
def app() -> None:
    """Is your loss tone-deaf? Rank audio distances by whether they know which way is worse."""


def _common(command: _Command) -> _Command:
    json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON array, and nothing else.")
    debug_option = click.option("--debug", is_flag=True, help="Show where an error comes from.")
    return json_option(debug_option(command))


@app.command("list")
@click.argument("what", type=click.Choice(["distances", "tasks", "suites"]), default="distances")
@_common
def list_command(what: str, as_json: bool, debug: bool) -> None:
    """What there is, whether it can run here, and if not why."""
    del debug
    from . import catalogue, screens

    rows = catalogue.catalogue(what)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        screens.out().print(catalogue.table(rows))


@app.command("check")
@click.argument("distance")
@click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz.")
@_common
def check_command(distance: str, sample_rate: float, as_json: bool, debug: bool) -> int:
    """Does a distance, such as ./my_loss.py:MyLoss, keep the contract?"""
    del debug
    from ..losses import make
    from ..losses.conformance import Check, conformance

    made = make(distance, sample_rate=sample_rate)
    checks: list[Check] = []
    for check in conformance(made):
        checks.append(check)
        if not as_json:
            print(
                f"{'ok    ' if check.passed else 'FAILED'}  {check.name}{': ' if check.message else ''}{check.message}"
            )
    if as_json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    return DONE if all(check.passed for check in checks) else FAILED


@app.command("rank")
@click.argument("distances", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every distance that takes at most 2 minutes a task.")
@click.option(
    "--suite", default="table1-valid", show_default=True, help="Distances and settings (tonedeaf list suites)."
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    default=["sines"],
    show_default=True,
    help="What is asked (tonedeaf list tasks); all is the whole ladder; may be repeated.",
)
@click.option("--trials", type=int, default=None, help="How many.  [default: 1000; table1-choices: 200 a seed]")
@click.option("--seed", type=int, default=None, help="Of the trials.  [default: 0; table1-choices: 1000 to 1004]")
@click.option("--duration", type=float, default=None, help="Of the signals, in seconds.  [default: the suite's]")
@click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz.")
@click.option(
    "--minimum", type=int, default=None, help="Where is the global minimum? Asked of this many trials.  [default: none]"
)
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@click.option("--memory", default="512MiB", show_default=True, help="Budget for the tensors under way.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of the records."
)
@_common
def rank_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Sign accuracy of distances: analytic, and at each resolution.

    A DISTANCE is a name (tonedeaf list), a name with parameters such as 'mss[n_ffts=2048,512]', a weighted sum such as
    'log_mss + 0.1*mss', or one of your own: ./my_loss.py:MyLoss or package.module:MyLoss.
    """
    from .rank_run import RankOptions, run

    return run(RankOptions(distances=distances, debug=debug, **options), as_json=as_json)


def _landscape(command: _Command) -> _Command:
    options = (
        click.argument("distances", nargs=-1),
        click.option("--task", default="sines", show_default=True, help="Whose signals (tonedeaf list tasks)."),
        click.option(
            "--pitch", type=float, multiple=True, help="Of a target, in Hz; may be repeated.  [default: the paper's]"
        ),
        click.option(
            "--level",
            type=float,
            multiple=True,
            help="Of the targets, in dB: one for all, or one for each.  [default: the paper's]",
        ),
        click.option("--suite", default="table1-valid", show_default=True, help="Settings (tonedeaf list suites)."),
        click.option("--seed", type=int, default=0, show_default=True, help="Of phases, and what else is drawn."),
        click.option(
            "--duration", type=float, default=None, help="Of the signals, in seconds.  [default: the suite's]"
        ),
        click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz."),
        click.option(
            "--device",
            default="auto",
            show_default=True,
            help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one.",
        ),
        click.option("--memory", default="512MiB", show_default=True, help="Budget for the tensors under way."),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            default=Path("runs"),
            show_default=True,
            help="Folder of records and figures.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _draw_landscape(
    kind: Literal["curve", "map", "field"],
    distances: tuple[str, ...],
    as_json: bool,
    debug: bool,
    options: dict[str, Any],
) -> int:
    from .landscape_run import LandscapeOptions, run

    return run(kind, LandscapeOptions(distances=distances, debug=debug, **options), as_json=as_json)


@app.command("curve")
@_landscape
@_common
def curve_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Draw distances and gradients along pitch (Figures 2, 4a).

    Without a DISTANCE, the suite's are drawn.
    """
    return _draw_landscape("curve", distances, as_json, debug, options)


@app.command("map")
@_landscape
@_common
def map_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Draw distances over pitch and level (Figures 3, 5, 6).

    Without a DISTANCE, the suite's are drawn.
    """
    return _draw_landscape("map", distances, as_json, debug, options)


@app.command("field")
@_landscape
@_common
def field_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Draw which way distances fall around a target (4b).

    Without a DISTANCE, the suite's are drawn.
    """
    return _draw_landscape("field", distances, as_json, debug, options)


@app.command("descend")
@click.argument("distances", nargs=-1)
@click.option("--suite", default="table1-valid", show_default=True, help="Settings (tonedeaf list suites).")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    default=["sines"],
    show_default=True,
    help="Whose signals (tonedeaf list tasks); all is the whole ladder; may be repeated.",
)
@click.option("--trials", type=int, default=50, show_default=True, help="How many.")
@click.option("--steps", type=int, default=500, show_default=True, help="Of Adam.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the trials.")
@click.option("--duration", type=float, default=None, help="Of the signals, in seconds.  [default: 0.2]")
@click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz.")
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@click.option("--memory", default="512MiB", show_default=True, help="Budget for the tensors under way.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of records and figures.",
)
@_common
def descend_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Does gradient descent on pitch and level reach the target?

    Without a DISTANCE, the suite's descend. Where rankings of the same task and seed are in the folder, the rank
    correlation of sign accuracy and descent is printed as well.
    """
    from .descend_run import DescendOptions, run

    return run(DescendOptions(distances=distances, debug=debug, **options), as_json=as_json)


def main() -> None:
    """The console script."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str], command: click.Command = app) -> int:
    """Run a command and return its exit status; what the user can put right is one line on standard error."""
    try:
        status: int | None = command.main(arguments, prog_name="tonedeaf", standalone_mode=False)
        return status or DONE
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted; finished records are kept: run the same command again to compute what is missing")
        return INTERRUPTED
    except click.ClickException as error:
        _say(f"error: {error.format_message()}")
        return WRONG_CALL
    except (ValueError, ImportError) as error:
        if "--debug" in arguments:
            raise
        _say(f"error: {error}")
        return WRONG_CALL
    except OSError as error:
        if "--debug" in arguments:
            raise
        _say(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return FAILED


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)
