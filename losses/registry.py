"""The table of distances, and :func:`make`, which turns a text into a distance."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from .base import AudioDistance
from .plugins import (
    PluginError,
    construct,
    constructor_parameters,
    convert_parameters,
    is_plugin,
    load_class,
    unknown,
)
from .specification import Specification, Term, format_term, parse
from .weighted_sum import WeightedSum

ENTRY_POINT_GROUP = "tonedeaf.distances"
HEAR_PREFIX = "hear:"
"""Of a name that is a module of the HEAR interface: ``hear:package.module``."""
NO_PRESET: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Entry:
    """A row of the table: where the class is, and the parameters that make it the distance of this name."""

    target: str
    """``module:Class``; a module that starts with a dot is in this package."""
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


_LOG: Mapping[str, Any] = {"log_offset": 1e-4, "norm": "l2"}
# Moderate listening: between the 40 phon that A-weighting follows and the 80 phon up to which the standard goes.
_LOUDNESS: Mapping[str, Any] = {"loudness_phon": 60.0}

_BUILT_IN: tuple[tuple[str, Entry], ...] = (
    # Turian & Henry 2020, Table 1
    ("spectrogram", Entry(".spectrogram:Spectrogram")),
    ("log_spectrogram", Entry(".spectrogram:Spectrogram", _LOG)),
    ("mel", Entry(".mel:Mel")),
    ("mfcc", Entry(".mel:Mfcc")),
    ("mss", Entry(".spectrogram:MultiScaleSpectrogram")),
    ("log_mss", Entry(".spectrogram:MultiScaleSpectrogram", _LOG)),
    ("log2_spectral_centroid", Entry(".spectral_centroid:Log2SpectralCentroid")),
    # waveform
    ("l1_waveform", Entry(".waveform:Waveform")),
    ("l2_waveform", Entry(".waveform:Waveform", {"norm": "l2"})),
    ("log_cosh", Entry(".waveform:LogCosh")),
    ("esr", Entry(".waveform:ErrorToSignal")),
    ("dc", Entry(".waveform:DirectCurrent")),
    ("snr", Entry(".signal_to_noise:SignalToNoise")),
    ("si_sdr", Entry(".signal_to_noise:ScaleInvariantSdr")),
    ("sd_sdr", Entry(".signal_to_noise:ScaleDependentSdr")),
    # auraloss
    ("auraloss_stft", Entry(".auraloss_stft:AuralossStft")),
    ("auraloss_mel_stft", Entry(".auraloss_stft:AuralossStft", {"n_mels": 128})),
    ("auraloss_mrstft", Entry(".auraloss_resolutions:AuralossMultiResolution")),
    ("auraloss_random_mrstft", Entry(".auraloss_resolutions:AuralossRandomResolution")),
    # multi-scale variants as published
    ("ddsp_mss", Entry(".ddsp_mss:DdspMss")),
    ("mss_revisited", Entry(".mss_revisited:MssRevisited")),
    ("dac_mel", Entry(".dac_mel:DacMel")),
    ("hard_mel", Entry(".hard_mel:HardMel")),
    # weighted by equal-loudness contours
    ("loudness_weighted_spectrogram", Entry(".spectrogram:Spectrogram", _LOUDNESS)),
    ("loudness_weighted_log_spectrogram", Entry(".spectrogram:Spectrogram", {**_LOG, **_LOUDNESS})),
    ("loudness_weighted_mss", Entry(".spectrogram:MultiScaleSpectrogram", _LOUDNESS)),
    ("loudness_weighted_log_mss", Entry(".spectrogram:MultiScaleSpectrogram", {**_LOG, **_LOUDNESS})),
    # log-frequency
    ("log_chroma", Entry(".chroma:LogChroma")),
    ("cqt", Entry(".cqt:Cqt")),
    ("log_cqt", Entry(".cqt:LogCqt")),
    ("vqt", Entry(".cqt:Vqt")),
    ("gammatone", Entry(".gammatone:Gammatone")),
    # scattering
    ("scattering1d", Entry(".scattering:Scattering1d")),
    ("jtfs", Entry(".jtfs:Jtfs")),
    ("scrapl", Entry(".jtfs:Scrapl")),
    # transport
    ("spectral_transport", Entry(".spectral_transport:SpectralTransport")),
    ("spectral_transport_balanced", Entry(".spectral_transport:BalancedSpectralTransport")),
    ("cumulative_spectrum", Entry(".cumulative_spectrum:CumulativeSpectrum")),
    ("sliced_transport", Entry(".sliced_transport:SlicedTransport")),
    ("sinkhorn_transport", Entry(".sinkhorn_transport:SinkhornTransport")),
    ("log_spectral_transport", Entry(".log_spectral_transport:LogSpectralTransport")),
    # neural, with weights that packages bring
    ("crepe_tiny", Entry(".crepe:Crepe")),
    ("crepe_full", Entry(".crepe:Crepe", {"capacity": "full"})),
    ("crepe_posterior", Entry(".pitch_posterior:CrepePosterior")),
    ("pesto", Entry(".pesto:Pesto")),
    ("pesto_posterior", Entry(".pitch_posterior:PestoPosterior")),
    ("cdpam", Entry(".cdpam:Cdpam")),
    ("dpam", Entry(".dpam:Dpam")),
    ("silero_vad", Entry(".silero_vad:SileroVad")),
    ("resemblyzer", Entry(".resemblyzer:Resemblyzer")),
    # neural, weights to be fetched
    ("wav2vec2_large_lv60", Entry(".speech_models:Wav2Vec2LargeLv60")),
    ("wav2vec2_base", Entry(".speech_models:Wav2Vec2Base")),
    ("hubert", Entry(".speech_models:Hubert")),
    ("wavlm", Entry(".speech_models:WavLm")),
    ("data2vec", Entry(".speech_models:Data2Vec")),
    ("mert", Entry(".speech_models:Mert")),
    ("whisper", Entry(".spectrogram_models:Whisper")),
    ("ast", Entry(".spectrogram_models:Ast")),
    ("clap", Entry(".spectrogram_models:Clap")),
    ("encodec", Entry(".neural_codecs:Encodec")),
    ("dac", Entry(".neural_codecs:Dac")),
    ("mimi", Entry(".neural_codecs:Mimi")),
    ("vggish", Entry(".vggish:Vggish")),
    ("yamnet", Entry(".yamnet:Yamnet")),
    ("openl3", Entry(".openl3:OpenL3")),
    ("nsynth_wavenet", Entry(".nsynth_wavenet:NsynthWavenet")),
    ("feature_matching", Entry(".feature_matching:FeatureMatching")),
    # of this suite
    ("tonedeaf", Entry(".tonedeaf:Tonedeaf")),
    ("harmonic_comb_transport", Entry(".harmonic_comb_transport:HarmonicCombTransport")),
)


@dataclass(frozen=True)
class Description:
    """What ``tonedeaf list distances`` says of a distance."""

    name: str
    available: bool
    reason: str
    """Why it is not available; empty if it is."""
    differentiable: bool | None
    symmetric: bool | None
    sample_rate: int | None
    """The one rate it works at, in Hz, or None if any will do."""
    min_samples: int | None
    source: str


def table() -> dict[str, Entry]:
    """Every registered name and its row: the built-in ones, and those that installed packages add.

    Raises:
        ValueError: if two rows have one name.
    """
    rows = [*_BUILT_IN, *((point.name, Entry(point.value)) for point in entry_points(group=ENTRY_POINT_GROUP))]
    entries: dict[str, Entry] = {}
    for name, entry in rows:
        if name in entries:
            raise ValueError(f"two distances are named {name!r}: {entries[name].target} and {entry.target}")
        entries[name] = entry
    return entries


def names() -> list[str]:
    """Every registered name, in the table's order."""
    return list(table())


def resolve(
    name: str, given: Mapping[str, Any], *, sample_rate: float, preset: Mapping[str, Any] = NO_PRESET
) -> tuple[type[AudioDistance], Specification]:
    """The class behind a name, and its full specification.

    Args:
        name: a registered name, ``package.module:Class``, ``path/file.py:Class`` or ``hear:package.module``.
        given: the parameters that were given, as text or as values.
        sample_rate: in Hz.
        preset: as for :func:`make`.

    Raises:
        ValueError: if the name or a parameter is unknown; it says which are near.
        PluginError: if a plug-in cannot be loaded, or is not an :class:`AudioDistance`.
        ImportError: if what the distance needs is not installed; the message says what.
    """
    if "sample_rate" in given:
        raise ValueError(f"sample_rate is not a parameter of {name} in a text: it is set for all distances at once")
    if name.startswith(HEAR_PREFIX):
        entry = Entry(".hear:Hear", {"module": name.removeprefix(HEAR_PREFIX)})
        cls = _built_in(entry.target)
    elif is_plugin(name):
        entry, cls = Entry(name), load_class(name)
    else:
        entries = table()
        if name not in entries:
            raise unknown("distance", name, entries)
        entry = entries[name]
        cls = _built_in(entry.target) if entry.target.startswith(".") else load_class(entry.target)
    if not issubclass(cls, AudioDistance):
        raise PluginError(f"{name} is not an AudioDistance: subclass tonedeaf.losses.AudioDistance")
    accepted = constructor_parameters(cls)
    applying = {key: value for key, value in preset.items() if key in accepted and key not in entry.parameters}
    values = convert_parameters(cls, {**entry.parameters, **applying, **given, "sample_rate": sample_rate}, name)
    target = name if is_plugin(name) and not name.startswith(HEAR_PREFIX) else f"{cls.__module__}:{cls.__qualname__}"
    return cls, Specification(format_term(name, dict(given)), target, values)


def _built_in(target: str) -> type[Any]:
    module, _, class_name = target.rpartition(":")
    return getattr(importlib.import_module(module, __package__), class_name)


def make(text: str, *, sample_rate: float = 44100, preset: Mapping[str, Any] = NO_PRESET) -> AudioDistance:
    """The distance that a text names (see :mod:`tonedeaf.losses.specification` for the grammar).

    Args:
        text: as in ``"log_mss"``, ``"mss[n_ffts=2048,512]"`` or ``"./my_loss.py:MyLoss"``.
        sample_rate: of the signals, in Hz.
        preset: parameters for every term whose constructor has them and that neither the text nor the table sets; a
            suite sets ``padding`` this way.

    Returns:
        The distance; its ``specification`` says everything that was asked for.

    Raises:
        ValueError: if the text, a name, a parameter or a value is wrong.
        ImportError: if what the distance needs is not installed.

    Example:
        >>> make("mss[padding=reflect]").specification.parameters["padding"]
        'reflect'
    """
    terms = parse(text)
    distances = [_make_term(term, sample_rate, preset) for term in terms]
    if len(terms) == 1 and terms[0].weight == 1:
        return distances[0]
    total = WeightedSum(terms=distances, weights=[term.weight for term in terms])
    total.specification = _specification_of_sum(total)
    return total


def _make_term(term: Term, sample_rate: float, preset: Mapping[str, Any]) -> AudioDistance:
    cls, specification = resolve(term.name, term.parameters, sample_rate=sample_rate, preset=preset)
    distance: AudioDistance = construct(cls, specification.parameters, term.name)
    distance.specification = specification
    return distance


def _specification_of_sum(total: WeightedSum) -> Specification:
    names, terms = list[str](), list[dict[str, Any]]()
    for weight, distance in zip(total.weights, total.terms, strict=True):
        assert isinstance(distance, AudioDistance)
        assert distance.specification is not None
        names.append(f"{'' if weight == 1 else f'{weight:g}*'}{distance.specification.name}")
        terms.append({"weight": weight, **asdict(distance.specification)})
    target = f"{WeightedSum.__module__}:{WeightedSum.__qualname__}"
    return Specification(" + ".join(names), target, {"terms": terms, "sample_rate": total.sample_rate})


def describe(*, sample_rate: float = 44100) -> Iterator[Description]:
    """What there is, name by name, and whether it can run here."""
    for name, entry in table().items():
        try:
            distance = make(name, sample_rate=sample_rate)
        except (ImportError, ValueError) as error:
            yield Description(name, False, str(error), None, None, None, None, entry.target)
        else:
            yield Description(
                name=name,
                available=True,
                reason="",
                differentiable=distance.differentiable,
                symmetric=distance.symmetric,
                sample_rate=distance.native_sample_rate,
                min_samples=distance.min_samples,
                source=distance.source,
            )
