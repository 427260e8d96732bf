"""An audio distance as a term of BassNet's objective.

A step draws a few segments of the training songs, each around one note (:mod:`.segments`); takes z from the posterior
of a window near by, as the paper's cross-reconstruction does; decodes the segment's windows, which follow one another,
from that z; renders them (:mod:`.paths`); and compares the audio with the target's. The term is the sum of the path's
parts (one for the sound, and on some paths one for the pitch), each scaled.

**Calibration.** Distances differ in size by orders of magnitude. Before training each part's scale is set so that its
gradient at the model's output, log magnitude and f0 logits, is as large as that of what it replaces: ``scale =
√(E‖∇ terms‖²/E‖∇ part‖²)``, over the same :data:`CALIBRATION_DRAWS` draws of segments, for the initial weights. So
distances compete on direction, not on size. The part for the sound replaces the squared error; that for the pitch
replaces f0's cross-entropy in ``audio-only``, and is left out in ``replace``, where f0 keeps its supervision. As the
model learns, some distances' gradients grow by orders of magnitude; a scale can follow, so that its part's gradient
stays no larger than it was at first. For that no label is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..losses import AudioDistance
from .calibration import squared_gradient, statistics_untouched
from .candidates import pitches_in_range
from .comparison import Comparison
from .config import HOP, SAMPLE_RATE
from .features import FeatureSet
from .model import BassNet, Prediction
from .multiresolution import compress, gather
from .path import Known, Path, SegmentPrediction
from .paths import PATHS
from .segments import Notes, Segments, draw_segments, find_notes
from .targets import oracle_target, stem_target
from .trainer import DivergedError
from .transposition import transpose
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
LOGGED = {"sound": "audio", "pitch": "pitch"}
"""The parts, by the names under which a training logs them."""


@dataclass(frozen=True, kw_only=True)
class AudioTermConfig:
    """How a distance takes part in training.

    Args:
        path: from the model's outputs to audio, and from the distance to a loss, see :mod:`.paths`.
        condition: what it replaces.
        target: what audio is compared with.
        segments: how many a step.
        segment_seconds: their length: the same for every distance.
        neighbourhood: z comes from a window that starts at most so many seconds from the segment.
        calibrate_every: after every so many steps, lower the scale of a part whose gradient has grown; 0 never does.

    Raises:
        ValueError: if a value is none of those, or the path renders what the condition must not know.
    """

    path: str = "entropic"
    condition: Condition = "replace"
    target: Target = "oracle"
    segments: int = 4
    segment_seconds: float = 0.5
    neighbourhood: float = 5.0
    calibrate_every: int = 0

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
        if PATHS[self.path].knows_f0 and self.condition == "audio-only":
            raise ValueError(
                f"the path {self.path} renders the labels' pitch, which must not be known in audio-only: it is for the "
                "condition replace; the path entropic would do"
            )
        if self.calibrate_every < 0:
            raise ValueError(f"calibrate_every must not be negative (steps), got {self.calibrate_every}")

    @property
    def frames(self) -> int:
        """Of a segment."""
        return round(self.segment_seconds * SAMPLE_RATE / HOP)


class _Draw(NamedTuple):
    """Segments, what the model predicts for them, and by how many bins they are moved up, if they are."""

    segments: Segments
    prediction: SegmentPrediction
    moved: Tensor | None


class AudioTerm:
    """A distance, ready to be added to the objective.

    Args:
        name: the distance's text, for messages.
        distance: for 16 kHz.
        config: how it takes part.
        features: of the training songs.
        model: whose windows and bins; its weights do not matter here.
        stems: for the target ``stem``: the bass of the same songs, 160 samples a frame (:func:`.targets.stem_audio`).
        transposition: segments are moved by up to so many cents up or down, as the objective's windows are, or a model
            would learn the pitches of the training songs by heart; not with the target ``stem``.

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
        transposition: float = 0.0,
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
        self.scales: dict[str, float] = {}
        self._at_first: dict[str, tuple[float, float]] = {}
        self._notes: Notes = find_notes(features.f0, features.onset, features.starts)
        self._furthest = 0.0 if config.target == "stem" else transposition / 1200 * model.cqt.bins_per_octave
        distance.to(features.device)

    def calibrate(self, model: BassNet, generator: torch.Generator) -> dict[str, float]:
        """Set the scales for the model's present weights (see above), and return them, by the names of the parts.

        Args:
            model: whose weights and batch statistics stay as they are.
            generator: on the CPU.

        Raises:
            ValueError: if the distance has no gradient and the path, or what is replaced, needs one; or a part has none
                at the model's output, or one that is not finite.
        """
        self.path.check(self.distance, self.name)
        ours, theirs = self._squared_gradients(model, generator)
        if not ours:
            raise ValueError(
                f"{self.name} has no gradient, and in the condition {self.config.condition} pitch is not taught by it: "
                "it cannot be trained with"
            )
        self._check(ours, self.name)
        self._check(theirs, "what it replaces")
        self.scales = {name: math.sqrt(theirs[name] / ours[name]) for name in ours}
        self._at_first = {name: (ours[name], self.scales[name]) for name in ours}
        return self.scales

    def _follow(self, model: BassNet, generator: torch.Generator) -> None:
        """Lower the scale of a part whose gradient is larger than at first, by as much as it is larger."""
        now, _ = self._squared_gradients(model, generator)
        self._check(now, self.name)
        self.scales = {
            name: scale * min(1.0, math.sqrt(before / now[name])) for name, (before, scale) in self._at_first.items()
        }

    def _squared_gradients(
        self, model: BassNet, generator: torch.Generator
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Of the parts, and of what each replaces, at the model's output: sums over the draws."""
        ours, theirs = dict[str, float](), dict[str, float]()
        with statistics_untouched(model):
            for _ in range(CALIBRATION_DRAWS):
                draw = self._draw(model, generator)
                parts = self._parts(draw, generator)
                for name, replaced in self._replaced(draw, parts).items():
                    ours[name] = ours.get(name, 0.0) + squared_gradient(parts[name], draw.prediction)
                    theirs[name] = theirs.get(name, 0.0) + squared_gradient(replaced, draw.prediction)
        return ours, theirs

    def _check(self, squared_norms: Mapping[str, float], whose: str) -> None:
        for name, norm in squared_norms.items():
            if not (0 < norm < math.inf):
                raise ValueError(
                    f"{whose} has no usable gradient at the model's output on the path {self.config.path} "
                    f"({name}: squared norm {norm:g}): it cannot be trained with"
                )

    def __call__(
        self, model: BassNet, features: FeatureSet, generator: torch.Generator, step: int
    ) -> dict[str, Tensor]:
        """The term for one step: ``loss``, scaled; and for the log ``audio`` and ``pitch``, the parts as they are.

        With ``calibrate_every`` also ``audio_scale`` and ``pitch_scale``, which are their scales.

        Raises:
            ValueError: if these are other features than the term was made for, or it has not been calibrated.
            DivergedError: if it cannot be calibrated again.
        """
        if features is not self.features:
            raise ValueError("an audio term serves the features that it was made for")
        if not self.scales:
            raise ValueError("an audio term must be calibrated before it is trained with")
        if step and self.config.calibrate_every and step % self.config.calibrate_every == 0:
            try:  # with a generator of its own: the segments that are trained on stay the same
                self._follow(model, torch.Generator().manual_seed(generator.initial_seed() + step))
            except ValueError as error:
                raise DivergedError(f"at step {step}: {error}; the last checkpoint is kept") from error
        parts = self._parts(self._draw(model, generator), generator)
        loss = sum((scale * parts[name] for name, scale in self.scales.items()), start=torch.zeros(()))
        logged = {LOGGED[name]: parts[name].detach() for name in self.scales}
        if self.config.calibrate_every:
            logged |= {
                f"{LOGGED[name]}_scale": torch.full_like(parts[name].detach(), scale)
                for name, scale in self.scales.items()
            }
        return {"loss": loss, **logged}

    @torch.no_grad()
    def value(self, model: BassNet, *, draws: int, seed: int) -> float:
        """The mean distance over some draws of segments, unscaled: what a distance says of a model it did not train.

        Args:
            model: in eval mode; its path one that renders the model's own pitch.
            draws: of segments.
            seed: of these, and of z: two models are compared on the same ones.
        """
        generator = torch.Generator().manual_seed(seed)
        found = [self._parts(self._draw(model, generator, move=False), generator)["sound"].item() for _ in range(draws)]
        return math.fsum(found) / draws

    @torch.no_grad()
    def preferred(self, model: BassNet, *, draws: int, seed: int) -> Tensor:
        """By how many semitones the pitch that is nearest by the distance lies above the true one, of each drawn note.

        Of all bins of the range, heard with the timbre of the model; the true one is the bin of most of the note's
        frames. Segments are moved as in training, so that no song's detuning speaks. What a distance says while a
        model is still untrained in pitch is the evidence from which the model would learn it.

        Args:
            model: in eval mode.
            draws: of segments.
            seed: of these, and of z: two distances are compared on the same ones.

        Returns:
            ``(draws·segments,)``, less the notes whose true pitch is out of the range; if there are few notes, one is
            drawn more than once.

        Raises:
            ValueError: if the path does not try pitches.
        """
        generator = torch.Generator().manual_seed(seed)
        in_range = len(pitches_in_range(self.path.cqt, self.features.device))
        found: list[Tensor] = []
        for _ in range(draws):
            draw = self._draw(model, generator)
            prediction, known, distances = self._asked(draw, generator)
            bins = nearest_bin(known.f0, self.path.cqt)
            true = torch.stack([of_one[on].mode().values for of_one, on in zip(bins, known.sounding, strict=True)])
            off = self.path.nearest(prediction, known, distances) - true
            found.append(12 / self.path.cqt.bins_per_octave * off[(true >= 0) & (true < in_range)])
        return torch.cat(found).cpu()

    def _draw(self, model: BassNet, generator: torch.Generator, *, move: bool = True) -> _Draw:
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
        moved = None
        if move and self._furthest:
            share = 2 * torch.rand(len(segments), generator=generator) - 1
            moved = (share * self._furthest).to(features.device)
        posterior = model.encode(
            *(self._windows(track, nearby, model, moved) for track in (features.mix, features.bass))
        )
        noise = torch.randn(posterior.mu.shape, generator=generator).to(posterior.mu)
        z = posterior.mu + torch.exp(posterior.log_variance / 2) * noise
        first = segments.first[:, None] + steps * torch.arange(windows, device=features.device) - margin
        prediction: Prediction = model.decode(
            self._windows(
                features.mix, first.flatten(), model, None if moved is None else moved.repeat_interleave(windows)
            ),
            z.repeat_interleave(windows, dim=0),
        )
        whole = SegmentPrediction.of_windows(prediction, windows)
        return _Draw(segments, SegmentPrediction(*(part[:, : config.frames].float() for part in whole)), moved)

    def _near(self, segments: Segments, apart: int, length: int, generator: torch.Generator) -> Tensor:
        """First frames of windows near the segments, in the same songs: ``(segments,)``."""
        starts = self.features.starts
        lowest = torch.maximum(segments.first - apart, starts[segments.song])
        highest = torch.minimum(segments.first + apart, starts[segments.song + 1] - length)
        share = torch.rand(len(segments), generator=generator).to(lowest.device)
        return lowest + (share * (highest - lowest + 1)).long().clamp(max=highest - lowest)

    def _windows(self, track: Tensor, first: Tensor, model: BassNet, moved: Tensor | None) -> Tensor:
        taken = gather(track, first, model.config.expanded).float()
        return compress(taken if moved is None else transpose(taken, moved), model.config.window)

    def _f0(self, draw: _Draw) -> Tensor:
        """True, in Hz: ``(segments, frames)``."""
        f0 = self.features.f0[draw.segments.frames]
        return f0 if draw.moved is None else f0 * torch.exp2(draw.moved / self.path.cqt.bins_per_octave)[:, None]

    def _parts(self, draw: _Draw, generator: torch.Generator) -> dict[str, Tensor]:
        """What the distance says of the segments, scalars by the names of the path's parts."""
        parts = self.path.parts(*self._asked(draw, generator), generator)
        return {name: part for name, part in parts._asdict().items() if part is not None}

    def _asked(self, draw: _Draw, generator: torch.Generator) -> tuple[SegmentPrediction, Known, Comparison]:
        """What the path is given: predictions, what is known, and the distance from the targets."""
        segments, features, f0 = draw.segments, self.features, self._f0(draw)
        frames = segments.frames
        phase = torch.rand(len(segments), generator=generator).to(features.device)
        if self.config.target == "stem":
            assert self.stems is not None
            target = stem_target(
                gather(self.stems.view(-1, HOP), segments.first, frames.shape[1]).flatten(1), segments.sounding
            )
        else:
            assert features.harmonics is not None
            target = oracle_target(
                f0,
                features.harmonics[frames].float(),
                features.level[frames],
                segments.sounding,
                phase=phase,
            )
        prediction = draw.prediction
        if self.config.condition == "replace":
            prediction = prediction._replace(f0_logits=prediction.f0_logits.detach())
        return prediction, Known(segments.sounding, f0, phase), Comparison(self.distance, target)

    def _replaced(self, draw: _Draw, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What of the paper's objective each part replaces, as it is for these segments."""
        frames, prediction = draw.segments.frames, draw.prediction
        bins, bass = nearest_bin(self._f0(draw), self.path.cqt), self.features.bass[frames].float()
        voiced = bins != UNVOICED
        spectral = F.mse_loss(prediction.y, bass if draw.moved is None else transpose(bass, draw.moved))
        f0 = F.cross_entropy(prediction.f0_logits[voiced], bins[voiced])
        replaced = dict[str, Tensor]()
        if "sound" in parts:
            replaced["sound"] = spectral
        if "pitch" in parts and self.config.condition == "audio-only":
            replaced["pitch"] = f0
        return replaced
