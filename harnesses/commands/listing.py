"""``list`` and ``check``: what there is, and whether a distance keeps the contract."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from .app import DONE, FAILED, app, common


@app.command("list")
@click.argument("what", type=click.Choice(["distances", "tasks", "suites", "datasets"]), default="distances")
@common
def list_command(what: str, as_json: bool, debug: bool) -> None:
    """What there is, whether it can run here, and if not why."""
    del debug
    from .. import catalogue, screens

    rows = catalogue.catalogue(what)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        screens.out().print(catalogue.table(rows))


@app.command("check")
@click.argument("distance")
@click.option("--sample-rate", type=float, default=44100.0, show_default=True, help="Of the signals, in Hz.")
@common
def check_command(distance: str, sample_rate: float, as_json: bool, debug: bool) -> int:
    """Does a distance, such as ./my_loss.py:MyLoss, keep the contract?"""
    del debug
    from ...losses import make
    from ...losses.conformance import Check, conformance

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
