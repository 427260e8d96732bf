"""``curve``, ``map`` and ``field``: what a distance looks like around a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from .app import Command, app, common, memory, parallel


def _landscape(command: Command) -> Command:
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
        memory,
        parallel,
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
    from ..landscape_run import LandscapeOptions, run

    return run(kind, LandscapeOptions(distances=distances, debug=debug, **options), as_json=as_json)


@app.command("curve")
@_landscape
@common
def curve_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Draw distances and gradients along pitch (Figures 2, 4a).

    Without a DISTANCE, the suite's are drawn.
    """
    return _draw_landscape("curve", distances, as_json, debug, options)


@app.command("map")
@_landscape
@click.option(
    "--paths",
    type=int,
    default=0,
    show_default=True,
    help="Draw so many descents to each target over its map, from random pitches and levels.",
)
@common
def map_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Draw distances over pitch and level (Figures 3, 5, 6).

    Without a DISTANCE, the suite's are drawn.
    """
    return _draw_landscape("map", distances, as_json, debug, options)


@app.command("field")
@_landscape
@common
def field_command(distances: tuple[str, ...], as_json: bool, debug: bool, **options: Any) -> int:
    """Draw which way distances fall around a target (4b).

    Without a DISTANCE, the suite's are drawn.
    """
    return _draw_landscape("field", distances, as_json, debug, options)
