"""The features of a dataset, computed once and kept beside it: log magnitudes of mix and bass, and the labels.

The constant-Q transform is nnAudio's ``CQT1992v2`` (``normalization_type="wrap"``, zeros around the track), evaluated
by :class:`~tonedeaf.losses.constant_q.ConstantQ`, which gives the same numbers in a small part of the time. Phase is
discarded. A song's features are a file of their own, so that an interrupted run has lost none that are done.

Source: Grachten, Lattner & Deruty 2020, 4.1. The gain in the logarithm is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..losses.constant_q import ConstantQ
from ..results.atomic_write import write_atomically
from ..results.canonical import canonical_digest
from .config import F_MIN, HOP, SAMPLE_RATE, CqtConfig

if TYPE_CHECKING:
    from .dataset import Dataset, Song

VERSION = 1
"""Of the files: another version, other content."""
FOLDER = "features"
"""In the dataset's folder."""
_KEY_DIGITS = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureSet:
    """The features of some songs, concatenated along time, on one device.

    Attributes:
        mix: log magnitude ``ln(1 + log_gain·amplitude)``, float16, ``(frames, bins)``.
        bass: likewise.
        f0: in Hz, 0 where no note sounds, ``(frames,)``.
        level: in [0, 1], dB re full scale, ``(frames,)``.
        level_minmax: in [0, 1], scaled per track, ``(frames,)``.
        onset: 1 at an onset, else 0, ``(frames,)``.
        pattern: of the bass, −1 if unknown, int64, ``(frames,)``.
        harmonics: amplitudes of the bass's partials, ``(frames, 20)``; None if a song has none.
        starts: first frame of each song, and the number of frames, int64, ``(songs + 1,)``.
    """

    mix: Tensor
    bass: Tensor
    f0: Tensor
    level: Tensor
    level_minmax: Tensor
    onset: Tensor
    pattern: Tensor
    harmonics: Tensor | None
    starts: Tensor

    @property
    def songs(self) -> int:
        """How many."""
        return len(self.starts) - 1

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.mix.device

    def frames_of(self, song: int) -> slice:
        """Where a song is, along time."""
        return slice(int(self.starts[song]), int(self.starts[song + 1]))


def log_magnitude(audio: Tensor, cqt: CqtConfig) -> Tensor:
    """The model's input.

    Args:
        audio: 16 kHz, mono, with a peak of about 1, ``(samples,)``.
        cqt: the bins.

    Returns:
        float32 ``(samples // 160 + 1, bins)`` on the audio's device; frame ``k`` is centred on sample ``160·k``.
    """
    amplitude = _transform(cqt.bins_per_octave, cqt.bins)(audio.float().unsqueeze(0))[0].abs()
    return torch.log1p(cqt.log_gain * amplitude)


def features(
    dataset: Dataset,
    cqt: CqtConfig,
    *,
    device: torch.device | str = "cpu",
    songs: Sequence[int] | None = None,
    progress: Callable[[int], None] | None = None,
) -> FeatureSet:
    """The features of a dataset's songs; what is not in its cache yet is computed, on ``device``, and kept there.

    Args:
        dataset: whose.
        cqt: the bins.
        device: where they are computed, and are afterwards.
        songs: which, in this order; None takes all.
        progress: called with the number of songs that have been computed since the last call.

    Raises:
        ValueError: if there are no songs, or a file of one is missing or damaged.
        OSError: if the cache cannot be written.
    """
    chosen = range(len(dataset)) if songs is None else songs
    if not chosen:
        raise ValueError(f"{dataset.folder} has no song to compute features of")
    parts: list[dict[str, Tensor]] = []
    for index in chosen:
        path = cache_folder(dataset, cqt) / f"{index:05d}.safetensors"
        part = _read(path)
        if part is None:
            part = _of_song(dataset.song(index), cqt, torch.device(device))
            _write(path, part)
        parts.append(part)
        if progress:
            progress(1)
    lengths = torch.tensor([0, *(len(part["f0"]) for part in parts)])
    joined = {name: torch.cat([part[name] for part in parts]).to(device) for name in _NAMES}
    harmonics = (
        torch.cat([part["harmonics"] for part in parts]).to(device)
        if all("harmonics" in part for part in parts)
        else None
    )
    return FeatureSet(**joined, harmonics=harmonics, starts=lengths.cumsum(0).to(device))


def cache_folder(dataset: Dataset, cqt: CqtConfig) -> Path:
    """Where the features of a dataset are kept: another transform or content, another folder."""
    # The digest of a manifest is its recipe's; its songs' digests hold what came of it.
    content = {"dataset": dataset.digest, "songs": list(dataset.manifest.song_sha256)}
    question: dict[str, Any] = {"version": VERSION, "content": content, "cqt": asdict(cqt)}
    return dataset.folder / FOLDER / canonical_digest(question)[:_KEY_DIGITS]


_NAMES = ("mix", "bass", "f0", "level", "level_minmax", "onset", "pattern")


def _of_song(song: Song, cqt: CqtConfig, device: torch.device) -> dict[str, Tensor]:
    audio = {name: torch.from_numpy(getattr(song, name)).to(device) for name in ("mix", "bass")}
    part = {name: log_magnitude(each, cqt).half().cpu() for name, each in audio.items()}
    labels = {name: getattr(song.labels, name) for name in (*_NAMES[2:], "harmonics")}
    part.update({name: torch.from_numpy(array) for name, array in labels.items() if array is not None})
    if len({len(tensor) for tensor in part.values()}) > 1:
        lengths = ", ".join(f"{name} {len(tensor)}" for name, tensor in part.items())
        raise ValueError(f"song {song.index}: features and labels must have as many frames, got {lengths}")
    return part


def _read(path: Path) -> dict[str, Tensor] | None:
    """A song's features, or None if there are none that can be read: then they are computed again."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        part = load(path.read_bytes())
    except (FileNotFoundError, SafetensorError):
        return None
    return part if set(_NAMES) <= set(part) else None


def _write(path: Path, part: dict[str, Tensor]) -> None:
    from safetensors.torch import save

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(part))


@lru_cache(maxsize=4)
def _transform(bins_per_octave: int, bins: int) -> ConstantQ:
    return ConstantQ(
        sample_rate=SAMPLE_RATE,
        fmin=F_MIN,
        n_bins=bins,
        bins_per_octave=bins_per_octave,
        hop_length=HOP,
        padding="constant",
    )
