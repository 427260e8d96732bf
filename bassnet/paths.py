"""The paths on which an audio distance teaches BassNet: from its outputs to audio, and from distances to a loss.

BassNet predicts a categorical distribution over f0, a log magnitude and a level; a distance compares audio. A path
renders segments of frames, each with one note (:mod:`.segments`), and makes one number of their distances::

    rendering = path.render(prediction, sounding, phase=phase, generator=generator)
    target = oracle_target(f0, harmonics, level, sounding, phase=phase)      # or stem_target(stem, sounding)
    loss = path.loss(rendering, measure(distance, rendering, target))

Shapes: segments are ``(batch, frames, …)``, the audio is 160 samples a frame at 16 kHz, and there is one candidate of a
segment for every path but ``expected``. All render with :func:`.synthesis.harmonic_synthesis` but ``bank``. Partials'
ratios come from the log magnitude, their power from the level; frames that do not sound are silent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ..losses import AudioDistance
from .bank import bank_synthesis
from .candidates import draw_candidates
from .config import F_MIN, HOP, SAMPLE_RATE, CqtConfig
from .model import Prediction
from .synthesis import at_level, harmonic_amplitudes, harmonic_synthesis

HARMONICS = 40
"""Partials of a rendered tone: all that a bass of 110 Hz has below 4350 Hz."""

_PEAK_REACH = 4
"""Bins to either side of the likeliest that ``local`` averages over."""


class SegmentPrediction(NamedTuple):
    """What the model says about segments of consecutive frames.

    Attributes:
        y: log magnitude, ``(batch, frames, bins)``.
        f0_logits: ``(batch, frames, bins)``.
        level: in [0, 1], ``(batch, frames)``.
    """

    y: Tensor
    f0_logits: Tensor
    level: Tensor

    @classmethod
    def of_windows(cls, prediction: Prediction, windows: int) -> SegmentPrediction:
        """Segments of so many consecutive windows, from predictions of all their windows.

        Args:
            prediction: of ``batch·windows`` windows; those of a segment follow one another without overlap. Of their
                channels the first, the finest, is taken.
            windows: in a segment.
        """

        def joined(windowed: Tensor) -> Tensor:
            finest = windowed[:, 0]
            return finest.reshape(-1, windows * finest.shape[1], *finest.shape[2:])

        return cls(joined(prediction.y), joined(prediction.f0_logits), joined(prediction.level_logits).sigmoid())


class Rendering(NamedTuple):
    """Audio of segments.

    Attributes:
        audio: ``(batch, candidates, samples)``.
        log_weights: of the candidates, not normalised, ``(batch, candidates)``.
    """

    audio: Tensor
    log_weights: Tensor


class Path(ABC):
    """A way from predictions to audio, and from distances to a loss.

    Args:
        cqt: what the bins are.
        harmonics: partials of a rendered tone.
    """

    name: ClassVar[str]
    needs_gradient: ClassVar[bool] = True
    """Whether the distance has to be differentiable."""

    def __init__(self, *, cqt: CqtConfig, harmonics: int = HARMONICS) -> None:
        self.cqt, self.harmonics = cqt, harmonics

    @abstractmethod
    def render(
        self, prediction: SegmentPrediction, sounding: Tensor, *, phase: Tensor | None, generator: torch.Generator
    ) -> Rendering:
        """The audio of predicted segments.

        Args:
            prediction: see there.
            sounding: which frames are heard, bool, ``(batch, frames)``.
            phase: of the fundamental, in cycles, ``(batch,)``; the target's.
            generator: on the CPU, for what a path draws.
        """

    def loss(self, rendering: Rendering, distances: Tensor) -> Tensor:
        """The mean of distances ``(batch, candidates)``, weighted over the candidates: a scalar."""
        return (rendering.log_weights.softmax(-1) * distances).sum(-1).mean()

    def check(self, distance: AudioDistance, name: str) -> None:
        """Raise ``ValueError``, with the path that would do, unless the distance can be used."""
        if self.needs_gradient and not distance.differentiable:
            raise ValueError(f"{name} has no gradient, which the path {self.name} needs; the path expected would do")

    def synthesise(self, f0: Tensor, y: Tensor, level: Tensor, sounding: Tensor, phase: Tensor | None) -> Tensor:
        """Tones of a pitch in Hz, ``(batch, frames)``, with the partials of ``y``: ``(batch, samples)``."""
        f0 = torch.where(sounding, f0, 0.0)
        amplitudes = harmonic_amplitudes(y, f0, cqt=self.cqt, harmonics=self.harmonics)
        return harmonic_synthesis(
            f0,
            at_level(amplitudes, level),
            sample_rate=SAMPLE_RATE,
            hop=HOP,
            samples=HOP * f0.shape[1],
            phase=phase,
        )


def frequency_of(bins: Tensor, cqt: CqtConfig) -> Tensor:
    """``27.5·2^(bin/bins_per_octave)``: the pitch of a place among the bins, in Hz."""
    return F_MIN * 2 ** (bins / cqt.bins_per_octave)


def expected_bin(f0_logits: Tensor) -> Tensor:
    """The mean place among all bins, ``(…, bins)`` to ``(…)``; of two likely octaves, the tritone between them."""
    place = torch.arange(f0_logits.shape[-1], dtype=f0_logits.dtype, device=f0_logits.device)
    return f0_logits.softmax(-1) @ place


def peak_bin(f0_logits: Tensor) -> Tensor:
    """The mean place among the likeliest bin and the 4 to either side: ``(…, bins)`` to ``(…)``."""
    bins = f0_logits.shape[-1]
    best = f0_logits.detach().argmax(-1, keepdim=True)
    near = best + torch.arange(-_PEAK_REACH, _PEAK_REACH + 1, device=best.device)
    inside = (near >= 0) & (near < bins)
    logits = f0_logits.gather(-1, near.clamp(0, bins - 1)).masked_fill(~inside, -torch.inf)
    return (logits.softmax(-1) * near).sum(-1)


class _OnePitch(Path):
    """Renders one pitch a frame."""

    def place(self, f0_logits: Tensor) -> Tensor:
        """Where among the bins the pitch is: ``(batch, frames, bins)`` to ``(batch, frames)``."""
        raise NotImplementedError

    def render(
        self, prediction: SegmentPrediction, sounding: Tensor, *, phase: Tensor | None, generator: torch.Generator
    ) -> Rendering:
        """One candidate: the frames' own pitches."""
        f0 = frequency_of(self.place(prediction.f0_logits), self.cqt)
        return _single(self.synthesise(f0, prediction.y, prediction.level, sounding, phase))


class Soft(_OnePitch):
    """The expectation of log f0 over all bins."""

    name = "soft"

    def place(self, f0_logits: Tensor) -> Tensor:
        """See :func:`expected_bin`."""
        return expected_bin(f0_logits)


class Local(_OnePitch):
    """The expectation of log f0 around the likeliest bin."""

    name = "local"

    def place(self, f0_logits: Tensor) -> Tensor:
        """See :func:`peak_bin`."""
        return peak_bin(f0_logits)


class Straight(_OnePitch):
    """Sounds as :class:`Local`, and has the gradient of :class:`Soft`."""

    name = "straight"

    def place(self, f0_logits: Tensor) -> Tensor:
        """The value of :func:`peak_bin`, the gradient of :func:`expected_bin`."""
        soft = expected_bin(f0_logits)
        return soft + (peak_bin(f0_logits) - soft).detach()


class Expected(Path):
    """The expectation of the distance over a note's pitch: ``Σ_k p_k d(synth(f_k), target)``.

    A note has one pitch, and the log probability of a bin is the mean of its frames' log probabilities. The candidates
    are the likeliest bins and some drawn ones (:mod:`.candidates`); p is normalised over them, or else the model would
    learn to hold those that are not tried for likely. With respect to f0 only the distance's values are used. With
    respect to the magnitudes and the level its gradient is, where it has one.

    Args:
        cqt: what the bins are.
        harmonics: partials of a rendered tone.
        likeliest: candidates that are the likeliest.
        drawn: candidates that are drawn.

    Raises:
        ValueError: if there are fewer than two candidates, or none of the likeliest.
    """

    name = "expected"
    needs_gradient = False

    def __init__(self, *, cqt: CqtConfig, harmonics: int = HARMONICS, likeliest: int = 4, drawn: int = 4) -> None:
        super().__init__(cqt=cqt, harmonics=harmonics)
        if likeliest < 1 or drawn < 0 or likeliest + drawn < 2:
            raise ValueError(
                f"the path expected needs two candidates, one of them the likeliest, got {likeliest} likeliest and "
                f"{drawn} drawn"
            )
        self.likeliest, self.drawn = likeliest, drawn

    def render(
        self, prediction: SegmentPrediction, sounding: Tensor, *, phase: Tensor | None, generator: torch.Generator
    ) -> Rendering:
        """Each candidate's pitch, held for the whole note."""
        share = sounding / sounding.sum(-1, keepdim=True).clamp(min=1)
        log_probabilities = (prediction.f0_logits.log_softmax(-1) * share.unsqueeze(-1)).sum(-2)
        bins, log_importance = draw_candidates(
            log_probabilities, cqt=self.cqt, likeliest=self.likeliest, drawn=self.drawn, generator=generator
        )
        candidates, (batch, frames) = bins.shape[1], sounding.shape

        def each(one: Tensor) -> Tensor:
            return one.repeat_interleave(candidates, dim=0)

        f0 = frequency_of(bins.to(prediction.y.dtype), self.cqt).flatten()[:, None].expand(-1, frames)
        audio = self.synthesise(
            f0,
            each(prediction.y),
            each(prediction.level),
            each(sounding),
            None if phase is None else each(phase),
        )
        return Rendering(audio.view(batch, candidates, -1), log_probabilities.gather(-1, bins) + log_importance)


class Bank(Path):
    """A fixed sinusoid for each bin, its amplitude the magnitude's: no f0 at all. The control condition."""

    name = "bank"

    def render(
        self, prediction: SegmentPrediction, sounding: Tensor, *, phase: Tensor | None, generator: torch.Generator
    ) -> Rendering:
        """One candidate: the bank; its phases are its own."""
        magnitude = torch.expm1(prediction.y.clamp(min=0)) / self.cqt.log_gain
        amplitudes = at_level(magnitude, prediction.level) * sounding.unsqueeze(-1)
        return _single(bank_synthesis(amplitudes, cqt=self.cqt))


def _single(audio: Tensor) -> Rendering:
    return Rendering(audio.unsqueeze(1), audio.new_zeros(len(audio), 1))


PATHS: dict[str, type[Path]] = {path.name: path for path in (Soft, Local, Straight, Expected, Bank)}
"""By the name that ``--path`` takes."""


def make_path(name: str, *, cqt: CqtConfig) -> Path:
    """The path of a name.

    Raises:
        ValueError: if there is none.
    """
    if name not in PATHS:
        raise ValueError(f"unknown path {name!r}; there are {', '.join(PATHS)}")
    return PATHS[name](cqt=cqt)


def measure(distance: AudioDistance, rendering: Rendering, target: Tensor) -> Tensor:
    """The distance of every candidate's audio from its target, each target being represented once.

    Args:
        distance: made for 16 kHz; without a gradient, its values are all that is used.
        rendering: of segments.
        target: ``(batch, samples)``.

    Returns:
        ``(batch, candidates)``.

    Raises:
        ValueError: if the segments are shorter than the distance needs.
    """
    candidates = rendering.audio.shape[1]
    audio = rendering.audio.flatten(0, 1)
    with nullcontext() if distance.differentiable else torch.no_grad():
        distance.check_signals(audio[: len(target)], target)
        represented = _repeat(distance.represent(target), candidates)
        return distance.compare(distance.represent(audio), represented).view(-1, candidates)


def _repeat(representation: object, times: int) -> object:
    if isinstance(representation, Tensor):
        return representation.repeat_interleave(times, dim=0)
    assert isinstance(representation, tuple)
    return tuple(_repeat(part, times) for part in representation)
