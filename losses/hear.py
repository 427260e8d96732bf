"""Any module of the HEAR interface as a distance: ``hear:package.module``."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .checkpoints import state_sha256
from .neural import NeuralDistance, Pooling
from .norms import Norm
from .plugins import PluginError, load_module

_PROBE_SECONDS = 1.0
_FUNCTIONS = ("load_model", "get_timestamp_embeddings", "get_scene_embeddings")


class Hear(NeuralDistance):
    """The norm of the difference of two embeddings of a module that keeps the HEAR interface.

    ``d = mean |E(prediction) − E(target)|`` with ``E`` the module's embeddings along time, or the one of the whole
    signal. The module has ``load_model(path)``, whose result has a ``sample_rate``,
    ``get_timestamp_embeddings(audio, model)`` and ``get_scene_embeddings(audio, model)``; it is named
    ``hear:package.module`` or ``hear:path/file.py``. If its embeddings carry no gradient, the distance is not
    differentiable, and has no analytic sign accuracy. What identifies its weights is the digest of its tensors and of
    the module's source.

    Args:
        module: ``package.module`` or ``path/file.py``.
        sample_rate: in Hz, a whole number; signals are resampled to the model's own rate.
        layer: ``timestamp`` or ``scene``.
        pooling: ``none`` or ``mean`` (over timestamps).
        norm: ``l1``, ``l2`` or ``l2_squared``.
        average: the mean over the embeddings in place of the sum.
        weights: what ``load_model`` is given; it is called without if empty.

    Raises:
        ValueError: if a parameter is out of its range, or the sample rate is not whole.
        PluginError: if the module cannot be imported, or does not keep the interface.

    Source:
        Turian et al. 2022, "HEAR: Holistic Evaluation of Audio Representations" (arXiv:2203.03022), common API.
    """

    source = "Turian et al. 2022, HEAR (arXiv:2203.03022), common API"

    def __init__(
        self,
        *,
        module: str,
        sample_rate: float = 44100,
        layer: Literal["timestamp", "scene"] = "timestamp",
        pooling: Pooling = "none",
        norm: Norm = "l1",
        average: bool = True,
        weights: str = "",
    ) -> None:
        if not module:
            raise PluginError("'hear:' is not a HEAR module: write hear:package.module or hear:path/file.py")
        loaded = load_module(module)
        for name in _FUNCTIONS:
            if not callable(getattr(loaded, name, None)):
                raise PluginError(f"{module} does not keep the HEAR interface: it has no function {name}")
        model = loaded.load_model(weights) if weights else loaded.load_model()
        rate = getattr(model, "sample_rate", None)
        if not isinstance(model, nn.Module) or not isinstance(rate, int):
            raise PluginError(f"load_model of {module} must return a torch.nn.Module with a whole sample_rate")
        self.native_sample_rate = rate  # pyright: ignore[reportAttributeAccessIssue]
        super().__init__(
            sample_rate=sample_rate,
            layer=layer,
            layers=("timestamp", "scene"),
            pooling=pooling,
            norm=norm,
            average=average,
        )
        self.packages = (module.partition(".")[0],)  # pyright: ignore[reportAttributeAccessIssue]
        self._timestamps: Callable[[Tensor, Any], tuple[Tensor, Tensor]] = loaded.get_timestamp_embeddings
        self._scene: Callable[[Tensor, Any], Tensor] = loaded.get_scene_embeddings
        self.freeze(model, _digest(model, loaded))
        self.differentiable = self._carries_gradient(rate)  # pyright: ignore[reportAttributeAccessIssue]

    def _carries_gradient(self, rate: int) -> bool:
        """Ask for one embedding; what does not come as the interface says is an error."""
        audio = torch.zeros(2, round(_PROBE_SECONDS * rate), requires_grad=True)
        embeddings: Any = self.embed(audio)
        shape = tuple(getattr(embeddings, "shape", ()))
        if not isinstance(embeddings, Tensor) or len(shape) != 3 or shape[0] != 2:
            found = shape or type(embeddings).__name__
            raise PluginError(f"the {self.layer} embeddings of 2 sounds must be a tensor (2, …, features), got {found}")
        return embeddings.requires_grad

    @property
    def own_min_samples(self) -> int:
        """1: the interface knows no least length."""
        return 1

    def embed(self, signal: Tensor) -> Tensor:
        """``(batch, samples)`` at the model's rate to ``(batch, timestamps, features)``; a scene has one timestamp."""
        model = self.network.at(signal)
        if self.layer == "scene":
            return self._scene(signal, model).unsqueeze(1)
        return self._timestamps(signal, model)[0]


def _digest(model: nn.Module, module: ModuleType) -> str:
    source = inspect.getsource(module).replace("\r\n", "\n")
    return hashlib.sha256(f"{state_sha256(model.state_dict())}\0{source}".encode()).hexdigest()
