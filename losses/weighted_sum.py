"""A weighted sum of distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from .base import AudioDistance, Representation, RepresentationDistance


class WeightedSum(RepresentationDistance):
    """``d = Σ_i w_i d_i``: what a text such as ``0.5*log_mss + 0.1*mss`` makes.

    Args:
        terms: the distances ``d_i``, all made for one sample rate.
        weights: the weights ``w_i``, positive.

    Raises:
        ValueError: if there is not one weight for each term, or the terms' sample rates differ.
    """

    def __init__(self, *, terms: Sequence[AudioDistance], weights: Sequence[float]) -> None:
        rates = {term.sample_rate for term in terms}
        if len(terms) != len(weights) or len(rates) != 1:
            raise ValueError(
                f"a sum needs a weight for each of its {len(terms)} terms, and one sample rate, not {rates}"
            )
        super().__init__(sample_rate=rates.pop())
        self.terms = nn.ModuleList(terms)
        self.weights = tuple(weights)
        self.differentiable = all(term.differentiable for term in terms)  # pyright: ignore[reportAttributeAccessIssue]
        self.symmetric = all(term.symmetric for term in terms)  # pyright: ignore[reportAttributeAccessIssue]

    def _terms(self) -> Iterator[AudioDistance]:
        for term in self.terms:
            assert isinstance(term, AudioDistance)
            yield term

    @property
    def min_samples(self) -> int:
        """What the most demanding term needs."""
        return max(term.min_samples for term in self._terms())

    def represent(self, signal: Tensor) -> tuple[Representation, ...]:
        """``(batch, samples)`` to each term's representation."""
        return tuple(term.represent(signal) for term in self._terms())

    def compare(self, prediction: tuple[Representation, ...], target: tuple[Representation, ...]) -> Tensor:
        """The weighted sum of the terms: ``(batch,)``."""
        distances = [
            weight * term.compare(ours, theirs)
            for weight, term, ours, theirs in zip(self.weights, self._terms(), prediction, target, strict=True)
        ]
        return torch.stack(distances).sum(0)
