"""Slakh, the synthesised Lakh dataset: which of a track's stems are basses, by mirdata's loader.

Source: Manilow, Wichern, Seetharaman & Le Roux 2019, "Cutting Music Source Separation Some Slakh" (CC BY 4.0).
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

_LOADER = "mirdata"
_VERSIONS = {"babyslakh_16k": "baby", "slakh2100_flac_redux": "2100-redux"}
"""Per folder inside the dataset's own, mirdata's name of the version."""


def is_slakh(folder: Path) -> bool:
    """Whether a folder is what mirdata calls Slakh's ``data_home``."""
    return any((folder / name).is_dir() for name in _VERSIONS)


def find_tracks(folder: Path) -> list[tuple[str, tuple[Path, ...], tuple[Path, ...]]]:
    """The tracks in the folder that have a bass and something else, by name: name, basses, other stems.

    Raises:
        ImportError: if mirdata is not installed.
        ValueError: if mirdata has not downloaded its index of Slakh.
    """
    if importlib.util.find_spec(_LOADER) is None:
        raise ImportError("Slakh is read by mirdata: pip install 'tonedeaf[slakh]'")
    loader: Any = importlib.import_module(_LOADER)
    version = next(version for name, version in _VERSIONS.items() if (folder / name).is_dir())
    try:
        dataset = loader.initialize("slakh", data_home=str(folder), version=version)
        multitracks: dict[str, Any] = dataset.load_multitracks()
    except FileNotFoundError as error:
        download = f"mirdata.initialize('slakh', version='{version}').download(['index'])"
        raise ValueError(f"mirdata has no index of Slakh yet; in Python, {download} fetches it") from error
    tracks: list[tuple[str, tuple[Path, ...], tuple[Path, ...]]] = []
    for name, multitrack in sorted(multitracks.items()):
        if not Path(multitrack.metadata_path).is_file():  # mirdata's index lists all, wherever they are
            continue
        basses: list[Path] = []
        others: list[Path] = []
        for stem in multitrack.tracks.values():
            if stem.audio_path is not None and Path(stem.audio_path).is_file():
                (basses if stem.mixing_group == "bass" else others).append(Path(stem.audio_path))
        if basses and others:
            tracks.append((name, tuple(sorted(basses)), tuple(sorted(others))))
    return tracks
