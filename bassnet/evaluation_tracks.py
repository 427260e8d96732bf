"""What a model makes of a whole song: its bass decoded from the latent of the true bass, window by window.

As in the paper's test objective (equation 10), each window is decoded from the mean of its own posterior: this is how
well the model can say what it was shown through two numbers, not how well it guesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .decoding import decode_f0
from .evaluation_harmonics import MOST_HARMONICS, HarmonicErrors, harmonic_errors, resolved_harmonics
from .features import FeatureSet
from .run import Run
from .synthesis import harmonic_amplitudes
from .tracks import Track, encode_track, predict_track


@dataclass(frozen=True, eq=False)
class LatentTrack:
    """Posterior means of a song's windows.

    Attributes:
        frame: in the middle of each window: ``(windows,)``.
        z: ``(windows, dimensions)``.
    """

    frame: NDArray[np.int64]
    z: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JudgedTrack:
    """A song beside its prediction, frame by frame.

    Attributes:
        f0: predicted, in Hz, in every frame.
        voiced: predicted.
        onset: predicted curve, in [0, 1].
        level: predicted, in [0, 1].
        true_f0: in Hz, 0 where nothing sounds.
        true_level: in [0, 1].
        harmonics: errors of the amplitudes at the harmonics of the predicted f0; none counts if the truth is unknown.
        reading: errors of what is read from the true log magnitude at the true f0: how far the representation itself
            is from the truth.
    """

    f0: NDArray[np.float64]
    voiced: NDArray[np.bool_]
    onset: NDArray[np.float64]
    level: NDArray[np.float64]
    true_f0: NDArray[np.float64]
    true_level: NDArray[np.float64]
    harmonics: HarmonicErrors
    reading: HarmonicErrors


def latent_track(run: Run, features: FeatureSet, song: int) -> LatentTrack:
    """The latent through a song, one window behind the other (by their full-resolution centres).

    Raises:
        ValueError: if the song is shorter than a window.
    """
    model, where = run.config.model, features.frames_of(song)
    z, frame = encode_track(
        run.model, features.mix[where], features.bass[where], hop_windows=model.window / model.expanded
    )
    return LatentTrack(frame.cpu().numpy(), z.double().cpu().numpy())


def predicted_track(run: Run, features: FeatureSet, song: int) -> Track:
    """A song's bass, each window decoded from its own posterior mean.

    Raises:
        ValueError: if the song is shorter than a window.
    """
    where = features.frames_of(song)
    mix, bass = features.mix[where], features.bass[where]
    z, centre = encode_track(run.model, mix, bass)
    # The windows of the overlap-add have the same centres; those half beyond an end take the nearest.
    frames = torch.arange(len(mix), device=mix.device)
    nearest = torch.bucketize(frames, (centre[1:] + centre[:-1]) / 2)
    return predict_track(run.model, mix, z[nearest])


def judged_track(run: Run, features: FeatureSet, song: int) -> JudgedTrack:
    """Predict a song and put it beside the truth.

    Raises:
        ValueError: if the song is shorter than a window.
    """
    track, where = predicted_track(run, features, song), features.frames_of(song)
    f0, voiced = decode_f0(track, run.config.cqt, threshold=run.threshold)
    level = features.level if run.config.objective.level == "absolute" else features.level_minmax
    true_f0 = _array(features.f0[where])
    known = features.harmonics
    true = np.zeros((f0.size, MOST_HARMONICS)) if known is None else _array(known[where])
    return JudgedTrack(
        f0=f0,
        voiced=voiced,
        onset=_array(track.onset),
        level=_array(track.level),
        true_f0=true_f0,
        true_level=_array(level[where]),
        harmonics=_errors(run, track.y, f0, true, true_f0),
        reading=_errors(run, features.bass[where].float(), true_f0, true, true_f0),
    )


def _errors(
    run: Run, y: Tensor, f0: NDArray[np.float64], true: NDArray[np.float64], true_f0: NDArray[np.float64]
) -> HarmonicErrors:
    cqt = run.config.cqt
    pitch = torch.as_tensor(f0, dtype=y.dtype, device=y.device)
    read = harmonic_amplitudes(y[None], pitch[None], cqt=cqt, harmonics=resolved_harmonics(cqt))[0]
    return harmonic_errors(_array(read), true, true_f0, cqt)


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().cpu().numpy()
