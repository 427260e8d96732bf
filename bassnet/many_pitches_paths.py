"""Paths that try pitches for a whole note: the distance's values teach f0's distribution, and need no gradient."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from .candidates import draw_candidates, pitches_in_range
from .comparison import Comparison
from .config import CqtConfig
from .path import HARMONICS, Known, Parts, Path, SegmentPrediction, frequency_of
from .perplexity import log_likelihood
from .spectral_envelope import spectral_envelope

SHARPNESS = 10.0
"""How much likelier a candidate of ``marginal`` is that is nearer to the target by a standard deviation, in nats."""
PERPLEXITY = 1.2
"""Among how many equally likely candidates one would be as undecided as the likelihood of ``entropic`` is."""


class _Tried(NamedTuple):
    """A note's candidates, each ``(batch, candidates)``: bins, log probabilities up to a constant, and distances."""

    bins: Tensor
    log_weights: Tensor
    values: Tensor


class ManyPitches(Path):
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
    tries_pitches = True

    def __init__(self, *, cqt: CqtConfig, harmonics: int = HARMONICS, likeliest: int = 10, drawn: int = 40) -> None:
        super().__init__(cqt=cqt, harmonics=harmonics)
        if likeliest < 1 or drawn < 0 or likeliest + drawn < 2:
            raise ValueError(
                f"the path {self.name} needs two candidates, one of them the likeliest, got {likeliest} likeliest and "
                f"{drawn} drawn"
            )
        self.likeliest, self.drawn = likeliest, drawn

    @abstractmethod
    def teach(self, log_weights: Tensor, values: Tensor, *, repeated: Tensor | None = None) -> Tensor:
        """What candidates' distances say of their probabilities.

        Args:
            log_weights: their log probabilities, up to a constant, ``(batch, candidates)``.
            values: their distances, without a gradient, likewise.
            repeated: which of them are there before, bool, likewise; none if None.

        Returns:
            ``(batch,)``.
        """

    def parts(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> Parts:
        """See above."""
        tried = self._try(prediction, known, distances, generator)
        pitch = self.teach(tried.log_weights, tried.values, repeated=_repeated(tried.bins)).mean()
        if not distances.distance.differentiable:
            return Parts(None, pitch)
        nearest = self._pitch(tried.bins.gather(-1, tried.values.argmin(-1, keepdim=True)), prediction)
        heard = self.synthesise(nearest, prediction.y, prediction.level, known)
        return Parts(distances(heard.unsqueeze(1)).mean(), pitch)

    @torch.no_grad()
    def nearest(self, prediction: SegmentPrediction, known: Known, distances: Comparison) -> Tensor:
        """Of all bins of the range, rendered as a candidate is, the one that the distance finds nearest."""
        every = pitches_in_range(self.cqt, prediction.y.device).expand(len(prediction.y), -1)
        at_once = every.split(self.likeliest + self.drawn, dim=-1)  # as many as in training: memory
        return torch.cat([distances(self.tones(bins, prediction, known)) for bins in at_once], -1).argmin(-1)

    def _try(
        self, prediction: SegmentPrediction, known: Known, distances: Comparison, generator: torch.Generator
    ) -> _Tried:
        sounding = known.sounding
        share = sounding / sounding.sum(-1, keepdim=True).clamp(min=1)
        log_probabilities = (prediction.f0_logits.log_softmax(-1) * share.unsqueeze(-1)).sum(-2)
        bins, log_importance = draw_candidates(
            log_probabilities, cqt=self.cqt, likeliest=self.likeliest, drawn=self.drawn, generator=generator
        )
        with torch.no_grad():
            values = distances(self.tones(bins, prediction, known))
        return _Tried(bins, log_probabilities.gather(-1, bins) + log_importance, values)

    def tones(self, bins: Tensor, prediction: SegmentPrediction, known: Known) -> Tensor:
        """Each candidate's pitch, held for the whole note, under the spectrum's envelope.

        Args:
            bins: ``(batch, candidates)``.
            prediction: see there.
            known: likewise.

        Returns:
            ``(batch, candidates, samples)``.
        """

        def each(one: Tensor) -> Tensor:
            return one.repeat_interleave(bins.shape[1], dim=0)

        audio = self.synthesise(
            self._pitch(bins.flatten().unsqueeze(1), prediction),
            each(spectral_envelope(prediction.y, self.cqt)),
            each(prediction.level),
            known.repeated(bins.shape[1]),
        )
        return audio.view(*bins.shape, -1)

    def _pitch(self, bins: Tensor, prediction: SegmentPrediction) -> Tensor:
        """``(notes, 1)`` bins in Hz, for every frame."""
        return frequency_of(bins.to(prediction.y.dtype), self.cqt).expand(-1, prediction.y.shape[1])


class Expected(ManyPitches):
    """The expectation of the distance over a note's pitch: ``Σ_k p_k d_k``, with ``d_k = d(tone of f_k, target)``.

    Its gradient for a candidate's logit is ``p_k (d_k − Σ_j p_j d_j)``: next to nothing for a pitch that is held to be
    unlikely, however near it is to the target.
    """

    name = "expected"

    def teach(self, log_weights: Tensor, values: Tensor, *, repeated: Tensor | None = None) -> Tensor:
        """See above."""
        del repeated
        return (log_weights.softmax(-1) * values).sum(-1)


class Marginal(ManyPitches):
    """The likelihood of the target when the pitch is not known: ``−log Σ_k p_k exp(−κ (d_k − min_j d_j)/σ)``.

    ``exp(−κ d/σ)`` is the likelihood of a target at a distance d, σ the standard deviation of a note's distances over
    its candidates, and κ :data:`SHARPNESS`: whatever unit a distance has, and however loud a note is, candidates that
    are nearer by σ are ``exp(κ)`` times as likely. The gradient for a candidate's logit is ``p_k − q_k``, with q the
    probabilities that p and the distances imply (Bayes): a near pitch is learnt, were it held to be likely or not.
    """

    name = "marginal"

    def teach(self, log_weights: Tensor, values: Tensor, *, repeated: Tensor | None = None) -> Tensor:
        """See above."""
        del repeated
        spread = values.std(-1, keepdim=True).clamp(min=torch.finfo(values.dtype).tiny)
        excess = (values - values.amin(-1, keepdim=True)) / spread
        return -torch.logsumexp(log_weights.log_softmax(-1) - SHARPNESS * excess, dim=-1)


class Entropic(ManyPitches):
    """The likelihood of ``marginal``, equally sharp for every distance: ``−log Σ_k p_k exp(−κ_n (d_k − min_j d_j))``.

    ``κ_n`` is, for each note n, the one at which ``exp(−κ_n d)``, normalised over the candidates, has the perplexity
    :data:`PERPLEXITY` (as each point's neighbourhood in t-SNE, van der Maaten & Hinton 2008; candidates that were drawn
    twice count once). So what counts is which candidates are near, in which order, and not the shape of the distance
    far from its minimum; nor how sure it is of one note and another. By its standard deviation over all candidates, as
    in ``marginal``, a distance that keeps growing with the interval would be held to be undecided among the pitches
    next to its minimum, and one that is flat beyond a semitone would not.
    """

    name = "entropic"

    def teach(self, log_weights: Tensor, values: Tensor, *, repeated: Tensor | None = None) -> Tensor:
        """See above."""
        likelihood = log_likelihood(values, PERPLEXITY, repeated=repeated)
        return -torch.logsumexp(log_weights.log_softmax(-1) + likelihood, dim=-1)


def _repeated(bins: Tensor) -> Tensor:
    """Which candidates are there before: bool, as the bins."""
    same = bins.unsqueeze(-1) == bins.unsqueeze(-2)
    return same.tril(-1).any(-1)
