"""An audio distance as a term of BassNet's objective.

A step draws a few segments of the training songs, each around one note (:mod:`.segments`); takes z from the posterior
of a window near by, as the paper's cross-reconstruction does; decodes the segment's windows, which follow one another,
from that z; renders them (:mod:`.paths`); and compares the audio with the target's. The term is the distance's mean,
scaled.

**Calibration.** Distances differ in size by orders of magnitude. Before training the scale is set so that the gradient
at the model's output, its log magnitude and f0 logits, is as large as that of the terms which the distance replaces:
``scale = √(E‖∇ terms‖²/E‖∇ distance‖²)``, over the same :data:`CALIBRATION_DRAWS` draws of segments, for the initial
weights. So distances compete on direction, not on size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..losses import AudioDistance
from .config import HOP, SAMPLE_RATE
from .features import FeatureSet
from .model import BassNet, Prediction
from .multiresolution import compress, gather
from .paths import PATHS, Path, SegmentPrediction, measure
from .segments import Notes, Segments, draw_segments, find_notes
from .targets import oracle_target, stem_target
from .windows import UNVOICED, nearest_bin

Condition = Literal["replace", "audio-only"]
"""What the distance replaces: the squared error of the log magnitude; or f0's cross-entropy as well."""
CONDITIONS: tuple[Condition, ...] = ("replace", "audio-only")
Target = Literal["oracle", "stem"]
"""What audio is compared with: the true controls, rendered as the prediction is; or the bass itself."""
TARGETS: tuple[Target, ...] = ("oracle", "stem")

HARMONICS = 20
"""Partials of target and prediction: as many as the labels hold."""
CALIBRATION_DRAWS = 8


@dataclass(frozen=True, kw_only=True)
class AudioTermConfig:
    """How a distance takes part in training.

    Args:
        path: how its gradient reaches f0, see :mod:`.paths`.
        condition: what it replaces.
        target: what audio is compared with.
        segments: how many a step.
        segment_seconds: their length: the same for every distance.
        neighbourhood: z comes from a window that starts at most so many seconds from the segment.

    Raises:
        ValueError: if a value is none of those.
    """

    path: str = "expected"
    condition: Condition = "replace"
    target: Target = "oracle"
    segments: int = 4
    segment_seconds: float = 0.5
    neighbourhood: float = 5.0

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("path", self.path, tuple(PATHS)),
            ("condition", self.condition, CONDITIONS),
            ("target", self.target, TARGETS),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        if self.segments < 1 or not 0.1 <= self.segment_seconds < math.inf or not 0 <= self.neighbourhood < math.inf:
            raise ValueError(
                "segments must be at least 1, of at least 0.1 s, and the neighbourhood not negative, got "
                f"{self.segments}, {self.segment_seconds} s and {self.neighbourhood} s"
            )

    @property
    def frames(self) -> int:
        """Of a segment."""
        return round(self.segment_seconds * SAMPLE_RATE / HOP)


class _Draw(NamedTuple):
    """Segments, and what the model predicts for them."""

    segments: Segments
    prediction: SegmentPrediction


class AudioTerm:
    """A distance, ready to be added to the objective.

    Args:
        name: the distance's text, for messages.
        distance: for 16 kHz.
        config: how it takes part.
        features: of the training songs.
        model: whose windows and bins; its weights do not matter here.
        stems: for the target ``stem``: the bass of the same songs, 160 samples a frame (:func:`stem_audio`).

    Raises:
        ValueError: if the distance needs longer segments, or the data lacks what the target needs.
    """

    def __init__(
        self,
        name: str,
        distance: AudioDistance,
        config: AudioTermConfig,
        features: FeatureSet,
        model: BassNet,
        *,
        stems: Tensor | None = None,
    ) -> None:
        self.name, self.distance, self.config, self.features, self.stems = name, distance, config, features, stems
        self.path: Path = PATHS[config.path](cqt=model.cqt, harmonics=HARMONICS)
        if distance.min_samples > config.frames * HOP:
            raise ValueError(
                f"{name} needs segments of at least {distance.min_samples / SAMPLE_RATE:.2f} s, "
                f"got {config.segment_seconds} s"
            )
        if config.target == "oracle" and features.harmonics is None:
            raise ValueError("the target oracle needs the amplitudes of the partials, which this data lacks; take stem")
        if config.target == "stem" and (stems is None or len(stems) != HOP * len(features.f0)):
            raise ValueError("the target stem needs the audio of the bass, 160 samples a frame")
        self.scale = 1.0
        self._notes: Notes = find_notes(features.f0, features.onset, features.starts)
        self._bins = nearest_bin(features.f0, model.cqt)
        self._voiced = self._bins != UNVOICED
        distance.to(features.device)

    def calibrate(self, model: BassNet, generator: torch.Generator) -> float:
        """Set the scale for the model's present weights (see above), and return it.

        Args:
            model: whose weights and batch statistics stay as they are.
            generator: on the CPU.

        Raises:
            ValueError: if the distance has no gradient and the path needs one; or it has none at the model's output, or
                one that is not finite.
        """
        self.path.check(self.distance, self.name)
        statistics = {name: buffer.clone() for name, buffer in model.named_buffers()}
        ours = theirs = 0.0
        for _ in range(CALIBRATION_DRAWS):
            draw = self._draw(model, generator)
            ours += _squared_gradient(self._distance(draw, generator), draw.prediction)
            theirs += _squared_gradient(self._replaced(draw), draw.prediction)
        for name, buffer in model.named_buffers():
            buffer.copy_(statistics[name])
        if not (0 < ours < math.inf):
            raise ValueError(
                f"{self.name} has no usable gradient at the model's output on the path {self.config.path} "
                f"(squared norm {ours:g}): it cannot be trained with"
            )
        self.scale = math.sqrt(theirs / ours)
        return self.scale

    def __call__(
        self, model: BassNet, features: FeatureSet, generator: torch.Generator, step: int
    ) -> dict[str, Tensor]:
        """The term for one step: ``loss``, scaled; and ``audio``, the distance as it is, for the log.

        Raises:
            ValueError: if these are other features than the term was made for.
        """
        del step
        if features is not self.features:
            raise ValueError("an audio term serves the features that it was made for")
        found = self._distance(self._draw(model, generator), generator)
        return {"loss": self.scale * found, "audio": found.detach()}

    @torch.no_grad()
    def value(self, model: BassNet, *, draws: int, seed: int) -> float:
        """The mean distance over some draws of segments, unscaled: what a distance says of a model it did not train.

        Args:
            model: in eval mode.
            draws: of segments.
            seed: of these, and of z: two models are compared on the same ones.
        """
        generator = torch.Generator().manual_seed(seed)
        found = [self._distance(self._draw(model, generator), generator).item() for _ in range(draws)]
        return math.fsum(found) / draws

    def _draw(self, model: BassNet, generator: torch.Generator) -> _Draw:
        """Segments of the training songs, decoded from a z of their neighbourhood."""
        config, features, steps = self.config, self.features, model.config.window
        windows = -(-config.frames // steps)
        margin = (model.config.expanded - steps) // 2
        segments = draw_segments(
            self._notes,
            config.segments,
            frames=config.frames,
            starts=features.starts,
            margin=margin + windows * steps - config.frames,
            generator=generator,
        )
        apart = round(config.neighbourhood * SAMPLE_RATE / HOP)
        nearby = self._near(segments, apart, model.config.expanded, generator)
        posterior = model.encode(*(self._windows(track, nearby, model) for track in (features.mix, features.bass)))
        noise = torch.randn(posterior.mu.shape, generator=generator).to(posterior.mu)
        z = posterior.mu + torch.exp(posterior.log_variance / 2) * noise
        first = segments.first[:, None] + steps * torch.arange(windows, device=features.device) - margin
        prediction: Prediction = model.decode(
            self._windows(features.mix, first.flatten(), model), z.repeat_interleave(windows, dim=0)
        )
        whole = SegmentPrediction.of_windows(prediction, windows)
        return _Draw(segments, SegmentPrediction(*(part[:, : config.frames].float() for part in whole)))

    def _near(self, segments: Segments, apart: int, length: int, generator: torch.Generator) -> Tensor:
        """First frames of windows near the segments, in the same songs: ``(segments,)``."""
        starts = self.features.starts
        lowest = torch.maximum(segments.first - apart, starts[segments.song])
        highest = torch.minimum(segments.first + apart, starts[segments.song + 1] - length)
        share = torch.rand(len(segments), generator=generator).to(lowest.device)
        return lowest + (share * (highest - lowest + 1)).long().clamp(max=highest - lowest)

    def _windows(self, track: Tensor, first: Tensor, model: BassNet) -> Tensor:
        return compress(gather(track, first, model.config.expanded).float(), model.config.window)

    def _distance(self, draw: _Draw, generator: torch.Generator) -> Tensor:
        """The distance's mean over the segments, a scalar."""
        segments, features = draw.segments, self.features
        frames = segments.frames
        phase = torch.rand(len(segments), generator=generator).to(features.device)
        rendering = self.path.render(draw.prediction, segments.sounding, phase=phase, generator=generator)
        if self.config.target == "stem":
            assert self.stems is not None
            target = stem_target(
                gather(self.stems.view(-1, HOP), segments.first, frames.shape[1]).flatten(1), segments.sounding
            )
        else:
            assert features.harmonics is not None
            target = oracle_target(
                features.f0[frames],
                features.harmonics[frames].float(),
                features.level[frames],
                segments.sounding,
                phase=phase,
            )
        return self.path.loss(rendering, measure(self.distance, rendering, target))

    def _replaced(self, draw: _Draw) -> Tensor:
        """What the paper's objective would say in the place of the distance: its terms that are replaced."""
        frames = draw.segments.frames
        prediction = draw.prediction
        loss = F.mse_loss(prediction.y, self.features.bass[frames].float())
        if self.config.condition == "audio-only":
            voiced = self._voiced[frames]
            loss = loss + F.cross_entropy(prediction.f0_logits[voiced], self._bins[frames][voiced])
        return loss


def stem_audio(basses: list[Tensor], starts: Tensor) -> Tensor:
    """Songs' basses ``(samples,)`` put together so that frame ``k`` of all has samples ``160·k`` and following.

    Args:
        basses: 16 kHz, one a song.
        starts: first frame of each song, and the number of frames.

    Returns:
        ``(160·frames,)``; a song's last frame is filled up with silence.
    """
    audio = torch.zeros(HOP * int(starts[-1]))
    for bass, first, last in zip(basses, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        part = bass[: HOP * (last - first)]
        audio[HOP * first : HOP * first + len(part)] = part
    return audio


def _squared_gradient(loss: Tensor, prediction: SegmentPrediction) -> float:
    """``‖∂loss/∂(y, f0_logits)‖²``."""
    if not loss.requires_grad:
        return 0.0
    outputs = (prediction.y, prediction.f0_logits)
    found = torch.autograd.grad(loss, outputs, retain_graph=True, materialize_grads=True)  # 0 for what is not used
    return sum(float(each.square().sum()) for each in found)
