"""Import torchaudio where its compiled part cannot load.

torchaudio's wheels hold a compiled part that is built for one torch; beside another (a CPU-only or a newer one) loading
it raises ``OSError``, and with it fails every package that imports torchaudio. Its transforms, filter banks, resampler
and model definitions are pure Python all the same. :func:`import_torchaudio` imports it as it is if that works, and
otherwise once more with the loader of the compiled part replaced, so that what needs the compiled part (forced
alignment, RNN-T) raises when it is called, and the rest works.

Call it before importing a package that imports torchaudio itself (torchcrepe, pesto).
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def _needs_compiled_part(*_args: Any, **_kwargs: Any) -> Any:
    raise RuntimeError("this function of torchaudio needs its compiled part, which cannot load beside this torch")


def _extension_without_compiled_part() -> ModuleType:
    """A stand-in for ``torchaudio._extension``: what that module is when no compiled part was shipped."""
    extension = ModuleType("torchaudio._extension")
    extension.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        fail_if_no_align=lambda _function: _needs_compiled_part,
    )
    return extension


def import_torchaudio() -> ModuleType:
    """The module ``torchaudio``, without its compiled part where that cannot load.

    Raises:
        ImportError: if torchaudio is not installed, or cannot be imported for another reason.
    """
    try:
        return importlib.import_module("torchaudio")
    except OSError as error:
        broken = [name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")]
        for name in broken:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _extension_without_compiled_part()
        try:
            return importlib.import_module("torchaudio")
        except OSError:
            del sys.modules["torchaudio._extension"]
            raise ImportError(f"torchaudio cannot be imported beside this torch: {error}") from error
