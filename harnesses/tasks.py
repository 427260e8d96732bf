"""From a text to a task, as :func:`tonedeaf.losses.make` goes from a text to a distance."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from .. import benchmarks
from ..benchmarks import TASKS, Task
from ..losses.plugins import (
    PluginError,
    construct,
    constructor_parameters,
    convert_parameters,
    is_plugin,
    load_class,
    unknown,
)
from ..losses.specification import parse

ENTRY_POINT_GROUP = "tonedeaf.tasks"
LADDER = "all"
"""The name of all built-in tasks together."""


@dataclass(frozen=True)
class SpecifiedTask:
    """A task and all its parameters, defaults included."""

    task: Task
    parameters: dict[str, Any]


def task_table() -> dict[str, str]:
    """Every registered task: the built-in ones, and those that installed packages add.

    Raises:
        ValueError: if two have one name.
    """
    table = dict(TASKS)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name in table:
            raise ValueError(f"two tasks are named {point.name!r}: {table[point.name]} and {point.value}")
        table[point.name] = point.value
    return table


def task_texts(asked: Iterable[str]) -> list[str]:
    """The tasks that were asked for, each once; ``all`` stands for the ladder: every built-in task, sines first."""
    return list(dict.fromkeys(text for each in asked for text in (TASKS if each == LADDER else (each,))))


def task_class(name: str) -> type[Task]:
    """The class behind a registered name, ``package.module:Class`` or ``path/file.py:Class``.

    Raises:
        ValueError: if the name is unknown; it says which are near.
        PluginError: if a plug-in cannot be loaded, is not a :class:`~tonedeaf.benchmarks.Task`, or has the name of a
            built-in one.
    """
    if is_plugin(name):
        cls = load_class(name)
    else:
        table = task_table()
        if name not in table:
            raise unknown("task", name, table)
        cls = _built_in(table[name]) if table[name].startswith(".") else load_class(table[name])
    if not issubclass(cls, Task):
        raise PluginError(f"{name} is not a Task: subclass tonedeaf.benchmarks.Task")
    if is_plugin(name):
        _check_own_name(cls, name)
    for attribute in ("name", "version"):
        if not hasattr(cls, attribute):
            raise PluginError(f"{name} does not say its {attribute}: a Task needs name, version and axes")
    for parameter in ("sample_rate", "duration"):
        if parameter not in constructor_parameters(cls):
            raise PluginError(f"{name} does not take {parameter}: every Task does, by keyword")
    return cls


def _check_own_name(cls: type[Task], text: str) -> None:
    """A plug-in with a built-in task's name would be taken for it: records know a task by its name and version."""
    target = TASKS.get(getattr(cls, "name", ""))
    if target is not None and cls is not _built_in(target):
        raise PluginError(f"{text} has the name of a built-in task, {cls.name!r}: give it one of its own")


def _built_in(target: str) -> type[Any]:
    module, _, class_name = target.rpartition(":")
    return getattr(importlib.import_module(module, benchmarks.__name__), class_name)


def make_task(text: str, preset: Mapping[str, Any]) -> SpecifiedTask:
    """The task that a text names.

    Args:
        text: ``name``, or ``name[key=value;key=value]``.
        preset: parameters that the text may override; those that the task does not have are left out, but for
            ``sample_rate`` and ``duration``, which every task has.

    Raises:
        ValueError: if the text, a name, a parameter or a value is wrong.
    """
    terms = parse(text)
    if len(terms) != 1 or terms[0].weight != 1:
        raise ValueError(f"{text!r} is not one task")
    name, given = terms[0].name, terms[0].parameters
    cls = task_class(name)
    accepted = constructor_parameters(cls)
    applying = {key: value for key, value in preset.items() if key in accepted}
    parameters = convert_parameters(cls, {**applying, **given}, name)
    return SpecifiedTask(construct(cls, parameters, name), parameters)
