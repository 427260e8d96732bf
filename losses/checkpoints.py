"""Checkpoints: read tensors from a file without running what is in it, and put them into a network."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

StateDict = Mapping[str, Tensor]

_RANDOM_SEED = 0
"""Of random weights: the same network every time."""


def build_network(
    factory: Callable[[], nn.Module],
    name: str,
    *,
    weights: str = "",
    random_weights: bool = False,
    read: Callable[[Path], Any] | None = None,
    adapt: Callable[[Any], StateDict] = lambda state: state,
) -> tuple[nn.Module, str]:
    """A network with its weights, and the SHA-256 that identifies them.

    Args:
        factory: makes the network, its weights at random.
        name: of the row in the table of weights.
        weights: path of a file (or folder) of one's own; empty for the table's.
        random_weights: leave the weights at random, from a fixed seed; nothing is looked for then.
        read: from a file to what it holds; None is :func:`read_checkpoint`.
        adapt: from what the file holds to the network's own names and shapes.

    Raises:
        ValueError: if ``weights`` is no file, cannot be read, or is of another architecture.
        WeightsUnavailableError: if the table's weights are not here, or not the expected ones.
    """
    if random_weights:
        if weights:
            raise ValueError(f"give weights or random_weights=true, not both: {weights!r}")
        network = randomly(factory)
        return network, state_sha256(network.state_dict())
    # imported here: how files are found decides no number, so it is no part of a record's sources
    from .weights import locate, weights_row

    located = locate(name, path=weights)
    path = located.paths[0]
    if not weights and weights_row(name).conversion:
        from .weights_conversion import converted

        path = converted(weights_row(name), path)
    network = factory()
    load_state(network, (read or read_checkpoint)(path), where=path, adapt=adapt)
    return network, located.sha256


def randomly(factory: Callable[[], nn.Module]) -> nn.Module:
    """A network whose random weights are the same every time; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        return factory()


def read_checkpoint(path: Path) -> Any:
    """What a ``.safetensors`` file, or one of ``torch.save`` that holds nothing but data, contains.

    Raises:
        ValueError: if it cannot be read as either.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except ImportError as error:
        raise ImportError(f"{path.name} needs safetensors: pip install 'tonedeaf[neural]'") from error
    except Exception as error:  # a damaged file makes its reader raise nearly anything
        told = not isinstance(error, pickle.UnpicklingError)  # whose text is about torch.load's arguments
        reason = f": {' '.join(str(error).split())[:120]}" if told else ""
        raise ValueError(f"{path} is truncated, or no checkpoint that holds only tensors{reason}") from error


def load_state(
    network: nn.Module, content: Any, *, where: Path | str, adapt: Callable[[Any], StateDict] = lambda state: state
) -> None:
    """Put a checkpoint's tensors into a network, every one of them.

    Args:
        network: whose ``state_dict`` they are to be.
        content: what :func:`read_checkpoint` returned.
        where: the file, for the message.
        adapt: from the content to the network's own names and shapes; what it raises counts as another architecture.

    Raises:
        ValueError: if names or shapes are not the network's; it names the first that is not.
    """
    expected = network.state_dict()
    state: dict[str, Tensor] = {}
    try:
        state = dict(adapt(content))
        different = _first_difference(expected, state)
    except (KeyError, IndexError, TypeError, AttributeError, RuntimeError) as error:
        different = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if different:
        raise ValueError(f"{where} is of another architecture than {type(network).__name__}: {different}")
    network.load_state_dict(state)


def _first_difference(expected: StateDict, state: StateDict) -> str:
    for name, tensor in expected.items():
        if name not in state:
            return f"it lacks {name}"
        if state[name].shape != tensor.shape:
            return f"{name} is shaped {tuple(state[name].shape)}, not {tuple(tensor.shape)}"
    return next((f"it has {name} as well" for name in state if name not in expected), "")


def state_sha256(state: StateDict) -> str:
    """SHA-256 of tensors: names, types, shapes and values, in the order of the names, whatever file they came in."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return digest.hexdigest()
