"""The group that all commands belong to, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ... import __version__

DONE, FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130

Command = TypeVar("Command", bound=Callable[..., Any])


class _Commands(click.Group):
    """A group that lists commands in the order of use, and names the nearest to a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from ...losses.plugins import unknown

            raise click.UsageError(str(unknown("command", args[0], self.list_commands(ctx))))
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tonedeaf")
def app() -> None:
    """Is your loss tone-deaf? Rank audio distances by whether they know which way is worse."""


def common(command: Command) -> Command:
    """The options of every command: ``--json`` and ``--debug``."""
    json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON array, and nothing else.")
    debug_option = click.option("--debug", is_flag=True, help="Show where an error comes from.")
    return json_option(debug_option(command))


def memory(command: Command) -> Command:
    """The option ``--memory``."""
    return click.option(
        "--memory",
        default="auto",
        help="Budget of each process for the tensors under way, as in 2GB.  [default: 512MiB; half of a GPU's]",
    )(command)


def parallel(command: Command) -> Command:
    """The options of commands that can use many processes: ``--workers`` and ``--dask``."""
    workers = click.option("--workers", type=int, default=1, show_default=True, help="Processes on this machine.")
    dask = click.option(
        "--dask", metavar="ADDRESS", default=None, help="Dask scheduler, as in tcp://10.0.0.1:8786, in place of those."
    )
    return workers(dask(command))
