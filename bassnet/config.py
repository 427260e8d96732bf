"""The configuration of BassNet: every choice, of the paper or of ours, is a named field.

Source: Grachten, Lattner & Deruty 2020, "BassNet". Defaults are the paper's where it states them; what it leaves open
says so. A configuration is immutable, checked when it is made, and goes to JSON and back without loss.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar, get_type_hints

import msgspec

SAMPLE_RATE = 16000
"""Of all audio, in Hz."""
HOP = 160
"""Samples from one frame to the next: 10 ms. Frame ``k`` is centred on sample ``160·k``."""
F_MIN = 27.5
"""Centre frequency of the lowest bin, in Hz (A0)."""
SEMITONES = 88
"""Range of the bins: up to 4350 Hz for 36 bins an octave."""

Configuration = TypeVar("Configuration")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def _require_positive(name: str, value: float) -> None:
    _require(0 < value < math.inf, f"{name} must be positive and finite, got {value}")


@dataclass(frozen=True, kw_only=True)
class CqtConfig:
    """The constant-Q log magnitude.

    Args:
        bins_per_octave: 36 in the paper; a multiple of 12, so that semitones fall on bins.
        log_gain: ``ln(1 + log_gain·amplitude)`` of peak-normalised audio. The paper says "log" only; a scale near
            ``[0, 1]`` would make the squared error tiny beside the divergence of the latent.
    """

    bins_per_octave: int = 36
    log_gain: float = 1000.0

    def __post_init__(self) -> None:
        _require(
            self.bins_per_octave > 0 and self.bins_per_octave % 12 == 0,
            f"bins_per_octave must be a positive multiple of 12, got {self.bins_per_octave}",
        )
        _require_positive("log_gain", self.log_gain)

    @property
    def bins(self) -> int:
        """Number of bins: 88 semitones."""
        return SEMITONES * self.bins_per_octave // 12


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The variational gated autoencoder.

    Args:
        window: compressed window, in frames (the paper's ``a`` of ``a/b``).
        expanded: expanded window, in frames (``b``): ``window`` times a power of two.
        maps: feature maps of every block.
        blocks: residual blocks of an encoder.
        kernel: of their convolutions, along time and frequency; odd. The paper does not say.
        latent: dimensions of z.
        bottleneck: how the maps become z. ``mean``: a 1×1 convolution, then the mean over time and frequency;
            ``flatten``: a linear map of all of them. The paper does not say.
        head_octaves: reach of the f0 head's convolution to either side, in octaves; not in the paper.
        head_maps: feature maps between the two layers of each head; not in the paper.
        head_steps: frames that the level and onset heads see; odd; not in the paper.
        f0_reading: what pitch f0's distribution stands for: its ``peak``, as in the paper, or its ``mean`` over the
            bins, which is what a model is taught by the path ``soft``.
    """

    window: int = 20
    expanded: int = 20
    maps: int = 128
    blocks: int = 5
    kernel: int = 3
    latent: int = 2
    bottleneck: Literal["mean", "flatten"] = "mean"
    head_octaves: int = 2
    head_maps: int = 16
    head_steps: int = 5
    f0_reading: Literal["peak", "mean"] = "peak"

    def __post_init__(self) -> None:
        for name in ("window", "expanded", "maps", "blocks", "latent", "head_octaves", "head_maps"):
            _require_positive(name, getattr(self, name))
        for name in ("kernel", "head_steps"):
            size = getattr(self, name)
            _require(size > 0 and size % 2 == 1, f"{name} must be odd and positive, got {size}")
        _require(self.kernel > 1, f"kernel must be at least 3, or nothing but its own bin is seen, got {self.kernel}")
        ratio, rest = divmod(self.expanded, self.window)
        _require(
            rest == 0 and ratio.bit_count() == 1,
            f"expanded must be window times a power of two, got window {self.window} and expanded {self.expanded}",
        )
        # The center of a coarser channel must fall between two of its steps, as in the paper's Figure 2.
        _require(ratio == 1 or self.window % 2 == 0, f"window must be even to be expanded, got {self.window}")
        _require(self.expanded % 2 == 0, f"expanded must be even, as the overlap is half of it, got {self.expanded}")

    @property
    def channels(self) -> int:
        """Number of resolutions: ``log2(expanded/window) + 1``."""
        return (self.expanded // self.window).bit_length()


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """The weights of equations 9 and 10.

    Args:
        kl_weight: of the divergence from the standard normal. 1 in the paper, whose scales are not known.
        cross_kl_weight: of the divergence between the two latents of a pair; 1 in the paper.
        spectral_weight: of the squared error of the log magnitude; 0 drops it.
        f0_weight: of f0's categorical cross-entropy; 0 drops it.
        level_weight: of level's binary cross-entropy.
        onset_weight: of onset's binary cross-entropy.
        cross_reconstruction: reconstruct each of a pair from the other's latent (equation 9). False is the paper's
            ablation: own latent, no divergence between the two (equation 10).
        kl_warmup_steps: both divergences' weights rise linearly from 0 over so many steps; not in the paper.
        level: which level is predicted. ``absolute``: dB re full scale, invertible; ``minmax``: scaled per track, for
            comparison with the paper.
    """

    kl_weight: float = 1.0
    cross_kl_weight: float = 1.0
    spectral_weight: float = 1.0
    f0_weight: float = 1.0
    level_weight: float = 1.0
    onset_weight: float = 1.0
    cross_reconstruction: bool = True
    kl_warmup_steps: int = 0
    level: Literal["absolute", "minmax"] = "absolute"

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name.endswith(("_weight", "_steps")):
                _require(0 <= value < math.inf, f"{each.name} must be finite and not negative, got {value}")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the objective is minimised: Adam on pairs of windows.

    Args:
        batch: windows a step: ``batch/2`` symmetric pairs, each window being reconstructed once.
        learning_rate: of Adam.
        learning_rate_decay: ``cosine`` lets it fall to 0 at ``max_steps``; the paper's is constant.
        neighbourhood: the two windows of a pair are at most so far apart, in seconds.
        transposition: each pair is transposed by up to so many cents up or down, by interpolation between bins; not in
            the paper, whose datasets have more songs.
        mini_epoch: windows between two validations.
        patience: stop after so many mini-epochs in which the validation loss has not improved.
        max_steps: stop after so many steps; None sets no limit.
        max_seconds: stop after so many seconds of training, resumed runs counted in; None sets no limit.
        validation_share: of the songs.
        validation_windows: how many windows, evenly spread over the validation songs, its loss is taken over.
        seed: of the split into training and validation songs, the initial weights, and what is drawn in training.
        keep: whose weights are the run's: those with the smallest validation loss, or the last. A model that learns
            from something that is no part of the validation loss needs ``last``.
        start_at_scale: give the initial output the mean and standard deviation of the training songs' basses; not in
            the paper.
        precision: ``bf16`` multiplies in bfloat16 (weights and their updates stay float32); ``auto`` does so where the
            processor does it fast (:func:`.trainer.multiplies_in_bfloat16`).
        compile: let ``torch.compile`` fuse the model.
    """

    batch: int = 20
    learning_rate: float = 1e-4
    learning_rate_decay: Literal["constant", "cosine"] = "constant"
    neighbourhood: float = 5.0
    transposition: float = 0.0
    mini_epoch: int = 1000
    patience: int = 1000
    max_steps: int | None = None
    max_seconds: float | None = None
    validation_share: float = 0.1
    validation_windows: int = 2000
    seed: int = 0
    keep: Literal["best", "last"] = "best"
    start_at_scale: bool = True
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    compile: bool = False

    def __post_init__(self) -> None:
        for name in ("batch", "learning_rate", "mini_epoch", "patience", "validation_windows"):
            _require_positive(name, getattr(self, name))
        for name in ("max_steps", "max_seconds"):
            if getattr(self, name) is not None:
                _require_positive(name, getattr(self, name))
        _require(self.batch % 2 == 0, f"batch must be even, for it is made of pairs, got {self.batch}")
        _require(
            0 <= self.neighbourhood < math.inf, f"neighbourhood must not be negative (s), got {self.neighbourhood}"
        )
        _require(
            0 <= self.transposition < math.inf, f"transposition must not be negative (cents), got {self.transposition}"
        )
        _require(0 < self.validation_share < 1, f"validation_share must be in (0, 1), got {self.validation_share}")
        _require(0 <= self.seed < 2**63, f"seed must be in [0, 2**63), got {self.seed}")
        _require(
            self.learning_rate_decay == "constant" or self.max_steps is not None,
            "learning_rate_decay 'cosine' needs max_steps",
        )

    @property
    def steps_per_mini_epoch(self) -> int:
        """Steps between two validations."""
        return max(1, self.mini_epoch // self.batch)


@dataclass(frozen=True, kw_only=True)
class BassNetConfig:
    """All of it."""

    cqt: CqtConfig = field(default_factory=CqtConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, nested as the fields are."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Any) -> BassNetConfig:
        """The inverse of :meth:`to_json`; a field that is absent has its default.

        Raises:
            ValueError: naming an unknown field, or one whose value is none of its type.
        """
        return _from_json(cls, document, "config")


def preset(name: str) -> BassNetConfig:
    """A configuration by name.

    ``paper``: 264 bins, 20/20, 128 maps, for a GPU. ``small``: the same at 16 maps, for an hour on one core. ``tiny``:
    88 bins, 10/10, 16 maps, for minutes on 2 cores.

    Raises:
        ValueError: if there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def _from_json(kind: type[Configuration], document: Any, where: str) -> Configuration:
    if not isinstance(document, dict):
        raise ValueError(f"{where} must be a JSON object, got {document!r}")
    types = get_type_hints(kind)
    unknown = [name for name in document if name not in types]
    if unknown:
        raise ValueError(f"unknown field {where}.{unknown[0]}; there are {', '.join(types)}")
    values: dict[str, Any] = {}
    for name, value in document.items():
        inner = types[name]
        if isinstance(inner, type) and is_dataclass(inner):
            values[name] = _from_json(inner, value, f"{where}.{name}")
            continue
        try:
            values[name] = msgspec.convert(value, inner)
        except msgspec.ValidationError as error:
            raise ValueError(f"{where}.{name} cannot be {value!r}: {error}") from error
    return kind(**values)


_FEW_STEPS = TrainingConfig(
    learning_rate=3e-3,
    learning_rate_decay="cosine",
    transposition=100.0,
    mini_epoch=2000,
    max_steps=1500,
    validation_windows=400,
    precision="auto",
)
"""What learns in minutes on a CPU."""

PRESETS: dict[str, BassNetConfig] = {
    "tiny": BassNetConfig(
        cqt=CqtConfig(bins_per_octave=12),
        model=ModelConfig(window=10, expanded=10, maps=16),
        objective=ObjectiveConfig(kl_weight=0.003, cross_kl_weight=0.003),
        training=_FEW_STEPS,
    ),
    "small": BassNetConfig(
        model=ModelConfig(maps=16),
        objective=ObjectiveConfig(kl_weight=0.003, cross_kl_weight=0.003),
        training=replace(_FEW_STEPS, max_steps=800),
    ),
    "paper": BassNetConfig(
        objective=ObjectiveConfig(kl_weight=0.01, cross_kl_weight=0.01, kl_warmup_steps=2000),
        training=TrainingConfig(precision="bf16", compile=True),
    ),
}
"""What :func:`preset` knows."""
