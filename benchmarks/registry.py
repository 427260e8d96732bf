"""The table of tasks: a name, and where its class is."""

from __future__ import annotations

TASKS: dict[str, str] = {
    "sines": ".sines:Sines",
}
"""Name to ``module:Class``; a module that starts with a dot is in this package."""
