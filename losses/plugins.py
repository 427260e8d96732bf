"""Find a class by its text, and construct it from parameters that are text.

Distances are named this way, and so are tasks: a class of another package (``package.module:Class``), or of a file that
is no package at all (``path/file.py:Class``).
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec


class PluginError(ValueError):
    """A plug-in that cannot be found, imported or used; the message says which and why, in one line."""


def unknown(what: str, name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that is not known: the nearest names, or all of them if none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names) or 'none'}"
    return ValueError(f"unknown {what} {name!r}; {hint}")


def is_plugin(name: str) -> bool:
    """Whether a name is ``module:Class`` or ``file.py:Class`` rather than a registered one."""
    return ":" in name


def load_class(name: str) -> type[Any]:
    """The class behind ``package.module:Class`` or ``path/file.py:Class``.

    Raises:
        PluginError: if there is no such file, module or class, or the module fails as it is imported.
    """
    where, _, class_name = name.rpartition(":")
    if not where or not class_name:
        raise PluginError(f"{name!r} is not module:Class or file.py:Class")
    module = load_module(where)
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise PluginError(str(unknown(f"class in {where}", class_name, classes)))
    return found


def load_module(where: str) -> ModuleType:
    """The module ``package.module``, or that of a file ``path/file.py``.

    Raises:
        PluginError: if there is none, or it fails as it is imported.
    """
    return _import_file(Path(where)) if where.endswith(".py") else _import_module(where)


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise PluginError(f"there is no module {name!r} to import") from error
        raise PluginError(f"module {name} does not import: {error}") from error
    except (Exception, SystemExit) as error:
        raise PluginError(f"module {name} does not import: {type(error).__name__}: {error}") from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError(f"there is no file {path}")
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"tonedeaf_plugin_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(f"{path} does not import: {type(error).__name__}: {error}") from error
    return module


def constructor_parameters(cls: type[Any]) -> dict[str, inspect.Parameter]:
    """The parameters that a constructor takes by keyword."""
    return {
        key: parameter
        for key, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }


def convert_parameters(cls: type[Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Check parameters against a constructor, and turn values that are text into what it expects.

    Args:
        cls: the class; its constructor takes keywords.
        given: parameter names and values; values that are not text are passed on as they are.
        name: how the class was called, for the messages.

    Returns:
        Every parameter of the constructor and its value, defaults included, in the constructor's order.

    Raises:
        ValueError: for an unknown parameter (with the nearest names), a missing one, or a value of another type.
    """
    parameters = constructor_parameters(cls)
    for key in given:
        if key not in parameters:
            raise unknown(f"parameter of {name}", key, parameters)
    hints = _type_hints(cls)
    values: dict[str, Any] = {}
    for key, parameter in parameters.items():
        if key in given:
            value = given[key]
            hint = hints.get(key, Any)
            if hint is Any and isinstance(parameter.default, (bool, int, float, str)):
                hint = type(parameter.default)
            values[key] = _convert(value, hint, f"{key} of {name}") if isinstance(value, str) else value
        elif parameter.default is parameter.empty:
            raise ValueError(f"{name} needs the parameter {key}: {name}[{key}=…]")
        else:
            values[key] = parameter.default
    return values


def _type_hints(cls: type[Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls.__init__)
    except NameError:  # an annotation that only the type checker can resolve
        return {}


def _convert(text: str, hint: Any, what: str) -> Any:
    options = typing.get_args(hint)
    is_sequence = any(typing.get_origin(option) is tuple for option in (hint, *options))
    value: Any = [part.strip() for part in text.split(",")] if is_sequence else text
    if text.lower() in ("none", "null"):
        value = None if type(None) in options else text
    if typing.get_origin(hint) is typing.Literal:
        named = {str(option): option for option in options}
        if text not in named:
            raise ValueError(f"{what} must be one of {', '.join(named)}, got {text!r}")
        return named[text]
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{what} cannot be {text!r}: {error}") from error


def construct(cls: type[Any], values: Mapping[str, Any], name: str) -> Any:
    """``cls(**values)``; what a plug-in raises as it is constructed becomes a one-line error.

    Raises:
        ValueError: what the constructor raised, as it is.
        PluginError: any other failure of the constructor, naming its type.
    """
    try:
        return cls(**values)
    except (ValueError, ImportError):
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{name} cannot be constructed: {type(error).__name__}: {error}") from error
