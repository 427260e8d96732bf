"""``weights``: pretrained weights, where they come from and where they lie."""

from __future__ import annotations

import click

from .app import app, common


@app.group("weights", cls=type(app))
def weights_group() -> None:
    """Pretrained weights: what there is, and whether it is here."""


@weights_group.command("list")
@common
def list_command(as_json: bool, debug: bool) -> int:
    """Every network's weights: origin, licence, size, SHA-256, and whether they are here."""
    del debug
    from ..weights_run import list_weights

    return list_weights(as_json=as_json)


@weights_group.command("fetch")
@click.argument("names", nargs=-1, required=True)
@common
def fetch_command(names: tuple[str, ...], as_json: bool, debug: bool) -> int:
    """Download weights, or go on where a download broke off.

    What was fetched is compared with the SHA-256 in the list before it is used. The cache is the platform's, or
    $TONEDEAF_WEIGHTS.
    """
    from ..weights_run import fetch_weights

    return fetch_weights(names, as_json=as_json, debug=debug)


@weights_group.command("path")
@click.argument("name")
@common
def path_command(name: str, as_json: bool, debug: bool) -> int:
    """Where a network's weights lie; if they are not here, what to put where."""
    from ..weights_run import path_of_weights

    return path_of_weights(name, as_json=as_json, debug=debug)
