"""Notes from curves: paths of pitches, stretches of sound, strikes, and the MIDI file that comes of them."""

import io

import numpy as np
import pretty_midi
import pytest
import torch
from numpy.typing import NDArray

from tonedeaf.bassnet.bass_midi import bass_midi, velocity
from tonedeaf.bassnet.bass_notes import BassNote, bass_line, sounding_stretches
from tonedeaf.bassnet.config import CqtConfig
from tonedeaf.bassnet.pitch_path import likeliest_path, note_f0
from tonedeaf.bassnet.tracks import Track

CQT = CqtConfig(bins_per_octave=12)


def spread(bins: list[float], sure: float = 0.9) -> NDArray[np.float64]:
    """Distributions that are sure of a bin each; of a place between two, in proportion."""
    table = np.full((len(bins), CQT.bins), (1 - sure) / CQT.bins)
    for frame, place in enumerate(bins):
        lower = int(place)
        table[frame, lower] += sure * (1 - place + lower)
        table[frame, lower + 1] += sure * (place - lower)
    return table


def track(bins: list[float], level: list[float], onset: list[float]) -> Track:
    return Track(
        y=torch.zeros(len(bins), CQT.bins),
        f0_probabilities=torch.from_numpy(spread(bins)),
        level=torch.tensor(level, dtype=torch.float64),
        onset=torch.tensor(onset, dtype=torch.float64),
    )


def test_a_path_stays_where_single_frames_waver():
    assert likeliest_path(spread([20.0] * 10 + [32.0] * 3 + [20.0] * 10)).tolist() == [20] * 23
    assert likeliest_path(spread([20.0] * 10 + [32.0] * 10)).tolist() == [20] * 10 + [32] * 10
    assert likeliest_path(spread([50.0] * 2 + [20.0] * 10)).tolist() == [20] * 12
    assert likeliest_path(spread([7.0])).tolist() == [7]


def test_a_path_follows_slides():
    slide = np.repeat(np.arange(20, 27), 4)
    assert likeliest_path(spread(slide.astype(float).tolist())).tolist() == slide.tolist()


def test_a_note_s_pitch_lies_between_bins():
    f0 = note_f0(spread([20.25] * 8), CQT)
    assert 1200 * np.log2(f0 / (27.5 * 2 ** (20.25 / 12))) == pytest.approx(np.zeros(8), abs=3)
    # A frame that is sure of another pitch has that of the path, unrefined.
    f0 = note_f0(spread([20.0] * 5 + [40.0] + [20.0] * 5, sure=1.0), CQT)
    assert f0 == pytest.approx(np.full(11, 27.5 * 2 ** (20 / 12)))


def test_stretches_begin_at_the_threshold_and_end_12_db_below():
    decibels = np.full(60, -60.0)
    decibels[10:30] = -25.0  # below the threshold, yet enough to go on
    decibels[15:20] = -15.0
    decibels[40:44] = -5.0  # too short
    decibels[50:] = -25.0  # never reaches it
    assert sounding_stretches(decibels, -20.0) == [(15, 30)]
    assert sounding_stretches(np.full(20, -10.0), -20.0) == [(0, 20)]
    assert sounding_stretches(np.full(20, -30.0), -20.0) == []


def test_onsets_and_jumps_part_notes_and_only_onsets_strike():
    bins = [20.0] * 30 + [20.0] * 30 + [27.0] * 30 + [15.0] * 30
    level = [0.2] * 10 + [0.9] * 100 + [0.2] * 10
    onset = [0.0] * 120
    onset[12], onset[30], onset[90], onset[112] = 0.9, 0.8, 0.3, 0.9
    line = bass_line(track(bins, level, onset), CQT, threshold=0.8, onset_threshold=0.5)
    assert line.struck.tolist() == [30]  # 12 begins with the stretch; 90 is too low; 112 lies in the rest
    assert [(note.first, note.last) for note in line.notes] == [(10, 30), (30, 60), (60, 90), (90, 110)]
    assert (line.f0[:10] == 0).all()
    assert (line.f0[110:] == 0).all()
    assert line.f0[70] == pytest.approx(27.5 * 2 ** (27 / 12), rel=1e-3)
    assert [note.level_db for note in line.notes] == pytest.approx([-8.0] * 4)
    lower = bass_line(track(bins, level, onset), CQT, threshold=0.8, onset_threshold=0.2)
    assert lower.struck.tolist() == [30, 90]
    default = bass_line(track(bins, level, onset), CQT, threshold=0.8, onset_threshold=None)
    assert default.struck.tolist() == [30]  # half of the highest, 0.45


def test_silence_has_no_notes():
    line = bass_line(track([20.0] * 30, [0.1] * 30, [0.0] * 30), CQT, threshold=0.8, onset_threshold=None)
    assert line.notes == ()
    assert (line.f0 == 0).all()
    assert pretty_midi.PrettyMIDI(io.BytesIO(bass_midi(line.notes))).instruments == []


def note(first: int, midi: list[float], level_db: float = -10.0) -> BassNote:
    return BassNote(first, first + len(midi), 440 * 2 ** ((np.array(midi) - 69) / 12), level_db)


def test_midi_has_keys_times_velocities_and_bends():
    vibrato = (40.3 + 0.2 * np.sin(np.arange(50) / 4)).tolist()
    document = bass_midi([note(10, [33.0] * 30, -10.0), note(40, vibrato, -30.0)])
    instrument = pretty_midi.PrettyMIDI(io.BytesIO(document)).instruments[0]
    assert instrument.program == 33
    assert [one.pitch for one in instrument.notes] == [33, 40]
    assert [(one.start, one.end) for one in instrument.notes] == [
        pytest.approx((0.1, 0.4), abs=1e-3),
        pytest.approx((0.4, 0.9), abs=1e-3),
    ]
    assert [one.velocity for one in instrument.notes] == [71, 23]  # 127·10^(−10/40), 127·10^(−30/40)
    wheel, bends = 0, iter([*instrument.pitch_bends, pretty_midi.PitchBend(0, 99.0)])
    upcoming = next(bends)
    for frame, pitch in enumerate([33.0] * 30 + vibrato):
        while upcoming.time <= 0.1 + frame / 100 + 2e-3:
            wheel, upcoming = upcoming.pitch, next(bends)
        key = 33 if frame < 30 else 40
        assert key + 2 * wheel / 8192 == pytest.approx(pitch, abs=0.021)  # 2 cents, the least that is sent


def test_velocities_stay_in_range():
    assert [velocity(level) for level in (20.0, 0.0, -10.0, -120.0)] == [127, 127, 71, 1]


def test_pitches_beyond_the_wheel_and_the_keys_are_clipped():
    document = bass_midi([note(0, [30.0] * 20 + [33.5] * 10), note(30, [130.0] * 10)])
    instrument = pretty_midi.PrettyMIDI(io.BytesIO(document)).instruments[0]
    assert [one.pitch for one in instrument.notes] == [30, 127]
    assert max(bend.pitch for bend in instrument.pitch_bends) == 8191
