"""What a model plays: the beginning of the first song that it is judged on, for readers of the report to hear."""

from __future__ import annotations

import numpy as np

from ..bassnet.bass_notes import bass_line
from ..bassnet.compose import PEAK, play
from ..bassnet.config import SAMPLE_RATE
from ..bassnet.controls import Controls
from ..bassnet.evaluation_tracks import predicted_track
from ..bassnet.features import features
from ..bassnet.tracks import Track
from ..results.sound import mp3
from .evaluations import Judged

SECONDS = 8


def sounds_of(one: Judged) -> dict[str, bytes]:
    """MP3 files by what they hold: ``mix``, ``bass`` (the true one), and ``prediction``.

    The prediction is decoded from the posterior of the song itself, as all that is judged, and played at the pitch and
    with the partials and the level that the model says. Mix and true bass keep their ratio.

    Raises:
        ValueError: if the song is shorter than a window, or damaged.
    """
    number = one.songs[0]
    device = next(one.run.model.parameters()).device
    cqt = one.run.config.cqt
    track = predicted_track(one.run, features(one.dataset, cqt, device=device, songs=[number]), 0)
    track = Track(*(curve.cpu() for curve in (track.y, track.f0_probabilities, track.level, track.onset)))
    song = one.dataset.song(number)
    samples = min(SECONDS * SAMPLE_RATE, len(song.mix))
    controls = Controls()
    line = bass_line(track, cqt, threshold=one.run.threshold, onset_threshold=controls.onset_threshold)
    played = play(track, line, one.run, controls, sample_rate=SAMPLE_RATE, samples=len(song.mix))[:samples]
    mix, bass = (PEAK * part[:samples] / max(np.abs(song.mix[:samples]).max(), 1e-9) for part in (song.mix, song.bass))
    loudest = max(PEAK, float(np.abs(played).max(initial=0.0)))
    return {
        name: mp3(np.clip(sound, -1, 1).astype(np.float64), SAMPLE_RATE)
        for name, sound in (("mix", mix), ("bass", bass), ("prediction", PEAK * played / loudest))
    }
