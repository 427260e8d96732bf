"""The command line: ``tonedeaf COMMAND``.

Exit status: 0 done; 1 a distance failed (the others' records are kept); 2 the call was wrong; 130 interrupted. What a
user can get wrong is answered by one line that says what was wrong and what would be right; ``--debug`` shows where.
"""

from __future__ import annotations

import sys

import click

from . import commands
from .commands.app import DONE, FAILED, INTERRUPTED, WRONG_CALL, app
from .execution import WorkerLostError

__all__ = ["app", "commands", "main", "run_command"]


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
    except click.exceptions.NoArgsIsHelpError as error:  # it is the help, not an error in one line
        print(error.format_message(), file=sys.stderr)
        return WRONG_CALL
    except click.ClickException as error:
        _say(f"error: {error.format_message()}")
        return WRONG_CALL
    except (ValueError, ImportError) as error:
        if "--debug" in arguments:
            raise
        _say(f"error: {error}")
        return WRONG_CALL
    except (OSError, WorkerLostError) as error:
        if "--debug" in arguments:
            raise
        _say(f"error: {_problem(error)}")
        return FAILED


def _problem(error: OSError | WorkerLostError) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    again = "run the same command again to go on, with fewer --workers if memory was short"
    return f"{error}; what is finished is kept: {again}"


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)
