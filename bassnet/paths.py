"""The paths on which an audio distance teaches BassNet: from its outputs to audio, and from distances to a loss.

BassNet predicts a categorical distribution over f0, a log magnitude and a level; a distance compares audio. A path
renders segments of frames, each with one note (:mod:`.segments`), and makes one number of their distances::

    target = oracle_target(f0, harmonics, level, sounding, phase=phase)      # or stem_target(stem, sounding)
    parts = path.parts(prediction, sounding, Comparison(distance, target), phase=phase, generator=generator)

Shapes: segments are ``(batch, frames, …)``, the audio is 160 samples a frame at 16 kHz. All render with
:func:`.synthesis.harmonic_synthesis` but ``bank``. Partials' ratios come from the log magnitude, their power from the
level; frames that do not sound are silent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from ..losses import AudioDistance
from .bank import bank_synthesis
from .candidates import draw_candidates
from .comparison import Comparison
from .config import F_MIN, HOP, SAMPLE_RATE, CqtConfig
from .model import Prediction
from .spectral_envelope import spectral_envelope
from .synthesis import at_level, harmonic_amplitudes, harmonic_synthesis

HARMONICS = 40
"""Partials of a rendered tone: all that a bass of 110 Hz has below 4350 Hz."""

SHARPNESS = 10.0
"""How much likelier a candidate of ``marginal`` is that is nearer to the target by a standard deviation, in nats."""

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


class Parts(NamedTuple):
    """What a distance says of predicted segments: scalars, means over the segments.

    Attributes:
        sound: the distance of what the model's outputs sound like, for log magnitude and level; None if it has no
            gradient.
        pitch: what teaches f0's distribution, and nothing else; None on a path without f0, or where f0 is not taught.
    """

    sound: Tensor | None
    pitch: Tensor | None = None


class Path(ABC):
    """A way from predictions to audio, and from distances to a loss.

    Args:
        cqt: what the bins are.
        harmonics: partials of a rendered tone.
    """

    name: ClassVar[str]
    needs_gradient: ClassVar[bool] = True
    """Whether the distance has to be differentiable."""
    f0_reading: ClassVar[Literal["peak", "mean"]] = "peak"
    """What of f0's distribution a model is taught by this path, and so has to be read by."""

    def __init__(self, *, cqt: CqtConfig, harmonics: int = HARMONICS) -> None:
        self.cqt, self.harmonics = cqt, harmonics

    @abstractmethod
    def parts(
        self,
        prediction: SegmentPrediction,
        sounding: Tensor,
        distances: Comparison,
        *,
        phase: Tensor | None,
        generator: torch.Generator,
    ) -> Parts:
        """What a distance says of predicted segments.

        Args:
            prediction: see there.
            sounding: which frames are heard, bool, ``(batch, frames)``.
            distances: from the segments' targets.
            phase: of the fundamental, in cycles, ``(batch,)``; the target's.
            generator: on the CPU, for what a path draws.
        """

    def check(self, distance: AudioDistance, name: str) -> None:
        """Raise ``ValueError``, with the path that would do, unless the distance can be used."""
        if self.needs_gradient and not distance.differentiable:
            raise ValueError(f"{name} has no gradient, which the path {self.name} needs; the path marginal would do")

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
    """Renders one pitch a frame: the distance's own gradient carries the pitch.

    Both parts are the distance of the same sound. One has the gradient for the log magnitude and the level, the other
    for f0, so that each can be scaled by what it replaces.
    """

    @abstractmethod
    def place(self, f0_logits: Tensor) -> Tensor:
        """Where among the bins the pitch is: ``(batch, frames, bins)`` to ``(batch, frames)``."""

    def render(self, prediction: SegmentPrediction, sounding: Tensor, *, phase: Tensor | None) -> Tensor:
        """The audio of segments, with the frames' own pitches: ``(batch, samples)``."""
        y, f0_logits, level = prediction
        return self.synthesise(frequency_of(self.place(f0_logits), self.cqt), y, level, sounding, phase)

    def parts(
        self,
        prediction: SegmentPrediction,
        sounding: Tensor,
        distances: Comparison,
        *,
        phase: Tensor | None,
        generator: torch.Generator,
    ) -> Parts:
        """The distance of what is rendered."""
        del generator
        y, f0_logits, level = prediction

        def distance(known: SegmentPrediction) -> Tensor:
            return distances(self.render(known, sounding, phase=phase).unsqueeze(1)).mean()

        return Parts(
            sound=distance(SegmentPrediction(y, f0_logits.detach(), level)),
            pitch=distance(SegmentPrediction(y.detach(), f0_logits, level.detach()))
            if f0_logits.requires_grad
            else None,
        )


class Soft(_OnePitch):
    """The expectation of log f0 over all bins."""

    name = "soft"
    f0_reading = "mean"

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


class _ManyPitches(Path):
    """Tries pitches for a note, and teaches f0's distribution by the values of their distances.

    A note has one pitch, and the log probability of a bin is the mean of its frames' log probabilities. The candidates
    are the likeliest bins and some drawn ones (:mod:`.candidates`), or all of them if they are no more than that; p is
    normalised over them, or else the model would learn to hold those that are not tried for likely.

    **Pitch.** Only the distance's values are used, so it need not be differentiable. A candidate is rendered with the
    partials that the predicted spectrum's envelope (:func:`.spectral_envelope`) has at its own harmonics: a source
    through a filter. Read from the spectrum itself, the harmonics of half a pitch that lie between its partials would
    have no amplitude, and half a pitch, a third of it and the pitch would be one and the same sound.

    **Sound.** The candidate that is nearest to the target is rendered with the partials of the predicted spectrum. So
    amplitudes and level are taught at the pitch that the distance itself prefers.

    Args:
        cqt: what the bins are.
        harmonics: partials of a rendered tone.
        likeliest: candidates that are the likeliest.
        drawn: candidates that are drawn.

    Raises:
        ValueError: if there are fewer than two candidates, or none of the likeliest.
    """

    needs_gradient = False

    def __init__(self, *, cqt: CqtConfig, harmonics: int = HARMONICS, likeliest: int = 10, drawn: int = 40) -> None:
        super().__init__(cqt=cqt, harmonics=harmonics)
        if likeliest < 1 or drawn < 0 or likeliest + drawn < 2:
            raise ValueError(
                f"the path {self.name} needs two candidates, one of them the likeliest, got {likeliest} likeliest and "
                f"{drawn} drawn"
            )
        self.likeliest, self.drawn = likeliest, drawn

    @abstractmethod
    def teach(self, log_weights: Tensor, values: Tensor) -> Tensor:
        """What candidates' distances say of their probabilities.

        Args:
            log_weights: their log probabilities, up to a constant, ``(batch, candidates)``.
            values: their distances, without a gradient, likewise.

        Returns:
            ``(batch,)``.
        """

    def parts(
        self,
        prediction: SegmentPrediction,
        sounding: Tensor,
        distances: Comparison,
        *,
        phase: Tensor | None,
        generator: torch.Generator,
    ) -> Parts:
        """See above."""
        share = sounding / sounding.sum(-1, keepdim=True).clamp(min=1)
        log_probabilities = (prediction.f0_logits.log_softmax(-1) * share.unsqueeze(-1)).sum(-2)
        bins, log_importance = draw_candidates(
            log_probabilities, cqt=self.cqt, likeliest=self.likeliest, drawn=self.drawn, generator=generator
        )
        with torch.no_grad():
            values = distances(self.tones(bins, prediction, sounding, phase))
        pitch = self.teach(log_probabilities.gather(-1, bins) + log_importance, values).mean()
        if not distances.distance.differentiable:
            return Parts(None, pitch)
        nearest = bins.gather(-1, values.argmin(-1, keepdim=True))
        heard = self.synthesise(self._pitch(nearest, prediction), prediction.y, prediction.level, sounding, phase)
        return Parts(distances(heard.unsqueeze(1)).mean(), pitch)

    def tones(self, bins: Tensor, prediction: SegmentPrediction, sounding: Tensor, phase: Tensor | None) -> Tensor:
        """Each candidate's pitch, held for the whole note, under the spectrum's envelope.

        Args:
            bins: ``(batch, candidates)``.
            prediction: see there.
            sounding: which frames are heard.
            phase: of the fundamental.

        Returns:
            ``(batch, candidates, samples)``.
        """

        def each(one: Tensor) -> Tensor:
            return one.repeat_interleave(bins.shape[1], dim=0)

        audio = self.synthesise(
            self._pitch(bins.flatten().unsqueeze(1), prediction),
            each(spectral_envelope(prediction.y, self.cqt)),
            each(prediction.level),
            each(sounding),
            None if phase is None else each(phase),
        )
        return audio.view(*bins.shape, -1)

    def _pitch(self, bins: Tensor, prediction: SegmentPrediction) -> Tensor:
        """``(notes, 1)`` bins in Hz, for every frame."""
        return frequency_of(bins.to(prediction.y.dtype), self.cqt).expand(-1, prediction.y.shape[1])


class Expected(_ManyPitches):
    """The expectation of the distance over a note's pitch: ``Σ_k p_k d_k``, with ``d_k = d(tone of f_k, target)``.

    Its gradient for a candidate's logit is ``p_k (d_k − Σ_j p_j d_j)``: next to nothing for a pitch that is held to be
    unlikely, however near it is to the target.
    """

    name = "expected"

    def teach(self, log_weights: Tensor, values: Tensor) -> Tensor:
        """See above."""
        return (log_weights.softmax(-1) * values).sum(-1)


class Marginal(_ManyPitches):
    """The likelihood of the target when the pitch is not known: ``−log Σ_k p_k exp(−κ (d_k − min_j d_j)/σ)``.

    ``exp(−κ d/σ)`` is the likelihood of a target at a distance d, σ the standard deviation of a note's distances over
    its candidates, and κ :data:`SHARPNESS`: whatever unit a distance has, and however loud a note is, candidates that
    are nearer by σ are ``exp(κ)`` times as likely. The gradient for a candidate's logit is ``p_k − q_k``, with q the
    probabilities that p and the distances imply (Bayes): a near pitch is learnt, were it held to be likely or not.
    """

    name = "marginal"

    def teach(self, log_weights: Tensor, values: Tensor) -> Tensor:
        """See above."""
        spread = values.std(-1, keepdim=True).clamp(min=torch.finfo(values.dtype).tiny)
        excess = (values - values.amin(-1, keepdim=True)) / spread
        return -torch.logsumexp(log_weights.log_softmax(-1) - SHARPNESS * excess, dim=-1)


class Bank(Path):
    """A fixed sinusoid for each bin, its amplitude the magnitude's: no f0 at all. The control condition."""

    name = "bank"

    def parts(
        self,
        prediction: SegmentPrediction,
        sounding: Tensor,
        distances: Comparison,
        *,
        phase: Tensor | None,
        generator: torch.Generator,
    ) -> Parts:
        """The distance of the bank, whose phases are its own."""
        del phase, generator
        return Parts(distances(self.render(prediction, sounding).unsqueeze(1)).mean())

    def render(self, prediction: SegmentPrediction, sounding: Tensor) -> Tensor:
        """The bank's audio, ``(batch, samples)``."""
        magnitude = torch.expm1(prediction.y.clamp(min=0)) / self.cqt.log_gain
        amplitudes = at_level(magnitude, prediction.level) * sounding.unsqueeze(-1)
        return bank_synthesis(amplitudes, cqt=self.cqt)


PATHS: dict[str, type[Path]] = {path.name: path for path in (Soft, Local, Straight, Expected, Marginal, Bank)}
"""By the name that ``--path`` takes."""
