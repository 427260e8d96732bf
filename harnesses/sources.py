"""What code a number depends on: the digest of its modules' sources, and the versions of the packages they use."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def source_modules(classes: Iterable[type[Any]]) -> list[ModuleType]:
    """The modules that classes are defined in, their own bases', and what these use of the same package, by name."""
    waiting = [base.__module__ for cls in classes for base in cls.__mro__]
    roots = {name.partition(".")[0] for name in (cls.__module__ for cls in classes)} | {_PACKAGE}
    found: dict[str, ModuleType] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] not in roots or name not in sys.modules:
            continue
        found[name] = sys.modules[name]
        waiting.extend(_names_used(found[name]))
    return [found[name] for name in sorted(found)]


def source_digest(classes: Iterable[type[Any]]) -> str:
    """SHA-256 of the sources of :func:`source_modules`: it changes when the code that makes a number does."""
    digest = hashlib.sha256()
    for module in source_modules(classes):
        source = inspect.getsource(module).replace("\r\n", "\n")
        digest.update(f"{module.__name__}\0{source}\0".encode())
    return digest.hexdigest()


def package_versions(classes: Iterable[type[Any]], others: Iterable[str] = ()) -> dict[str, str]:
    """The versions of the installed packages that the modules of :func:`source_modules` use, by name.

    Args:
        classes: whose modules.
        others: distributions that take part without being used by name: they are imported in functions.
    """
    used = {name.partition(".")[0] for module in source_modules(classes) for name in _names_used(module)} | {*others}
    versions: dict[str, str] = {}
    for name in sorted(used - {_PACKAGE}):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # the standard library, or a module that is no package
            continue
    return versions


def _names_used(module: ModuleType) -> set[str]:
    values = vars(module).values()
    names = {
        value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) for value in values
    }
    return {name for name in names if isinstance(name, str)}
