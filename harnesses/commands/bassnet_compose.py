"""``compose``: a bass to a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .app import app, common


@app.command("compose")
@click.argument("mix", type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    required=True,
    metavar="RUN",
    help="Folder that tonedeaf train has left.",
)
@click.option("--z", default=None, metavar="X,Y", help="Point of the latent plane.  [default: 0,0]")
@click.option(
    "--z-file",
    type=click.Path(path_type=Path),
    default=None,
    metavar="CSV",
    help="A path in it instead: time,x,y a line, in seconds; linear in between.",
)
@click.option("--harmonics", type=int, default=20, show_default=True, help="Partials, 1 to 64.")
@click.option(
    "--variation",
    type=float,
    default=1.0,
    show_default=True,
    help="Of the timbre over time: 0 static, 1 as predicted, more is exaggerated.",
)
@click.option(
    "--odd-even", type=float, default=0.5, show_default=True, help="0 even partials only, 0.5 all, 1 odd ones only."
)
@click.option("--fundamental-gain", type=float, default=0.0, show_default=True, help="Of the first partial, in dB.")
@click.option("--lowpass", type=float, default=None, metavar="HZ", help="Cutoff of a low-pass filter.  [default: none]")
@click.option("--lowpass-order", type=int, default=4, show_default=True, help="Of the filter: 6 dB an octave each.")
@click.option(
    "--onset-threshold",
    type=float,
    default=None,
    help="Higher strikes fewer notes, 0 to 1.  [default: half of the highest onset]",
)
@click.option(
    "--inharmonicity",
    type=float,
    default=0.0,
    show_default=True,
    metavar="B",
    help="Of a stiff string: partial h at h·√(1 + B·h²).",
)
@click.option("--sample-rate", type=int, default=None, metavar="HZ", help="Of the bass.  [default: the mix's]")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bass, a WAV file.")
@click.option("--midi", type=click.Path(path_type=Path), default=None, help="Its notes, a MIDI file.")
@click.option(
    "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …; auto takes a GPU if there is one."
)
@common
def compose_command(as_json: bool, debug: bool, **options: Any) -> int:
    """Let a trained BassNet play the bass to MIX, a recording in any format, rate and number of channels.

    The bass is as long as the mix. Its level is the model's, quieter only if it would clip.
    """
    del debug
    from ..compose_run import ComposeOptions, run

    return run(ComposeOptions(**options), as_json=as_json)
