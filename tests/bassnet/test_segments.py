"""Notes as the labels have them, and segments that hold one note each."""

import pytest
import torch

from tonedeaf.bassnet.segments import SHORTEST_NOTE, draw_segments, find_notes

STARTS = torch.tensor([0, 100, 260])


def labels() -> tuple[torch.Tensor, torch.Tensor]:
    """Two songs. Notes: 10-40 and 40-60 (parted by an onset alone), 90-100 (to the song's end), 100-130, 200-250."""
    f0, onset = torch.zeros(260), torch.zeros(260)
    for first, last, pitch in ((10, 40, 50.0), (40, 60, 50.0), (90, 100, 70.0), (100, 130, 70.0), (200, 250, 90.0)):
        f0[first:last], onset[first] = pitch, 1.0
    f0[150:155] = 80.0  # too short to be a note
    return f0, onset


def test_notes_are_broken_by_rests_onsets_and_ends_of_songs():
    notes = find_notes(*labels(), STARTS)
    assert notes.first.tolist() == [10, 40, 90, 100, 200]
    assert notes.last.tolist() == [40, 60, 100, 130, 250]
    assert notes.song.tolist() == [0, 0, 0, 1, 1]


def test_a_note_of_the_last_frames_ends_with_them():
    f0 = torch.zeros(40)
    f0[20:] = 60.0
    notes = find_notes(f0, torch.zeros(40), torch.tensor([0, 40]))
    assert (notes.first.tolist(), notes.last.tolist()) == ([20], [40])


@pytest.mark.parametrize("frames", [8, 20, 50, 100])
def test_segments_lie_in_their_song_and_hold_frames_of_one_note(frames: int):
    f0, onset = labels()
    notes = find_notes(f0, onset, STARTS)
    drawn = draw_segments(notes, 200, frames=frames, starts=STARTS, generator=torch.Generator().manual_seed(0))
    assert drawn.sounding.shape == (200, frames)
    assert (drawn.first >= STARTS[drawn.song]).all()
    assert (drawn.first + frames <= STARTS[drawn.song + 1]).all()
    assert drawn.sounding.any(1).all()
    for index, sounding in zip(drawn.frames, drawn.sounding, strict=True):
        pitches = f0[index[sounding]]
        assert (pitches == pitches[0]).all()
        assert pitches[0] > 0
        assert len(index[sounding]) == min(frames, int(index[sounding][-1] - index[sounding][0] + 1))


def test_a_note_that_fits_is_whole_and_every_note_is_drawn():
    notes = find_notes(*labels(), STARTS)
    drawn = draw_segments(notes, 500, frames=60, starts=STARTS, generator=torch.Generator().manual_seed(1))
    lengths = drawn.sounding.sum(1)
    assert set(lengths.tolist()) == {10, 20, 30, 50}
    assert len(set(drawn.first.tolist())) > 50  # the note is not always in one place


def test_margins_are_kept_and_the_note_stays_whole():
    notes = find_notes(*labels(), STARTS)
    drawn = draw_segments(notes, 200, frames=60, starts=STARTS, margin=10, generator=torch.Generator().manual_seed(2))
    assert (drawn.first >= STARTS[drawn.song] + 10).all()
    assert (drawn.first + 70 <= STARTS[drawn.song + 1]).all()
    assert set(drawn.sounding.sum(1).tolist()) == {20, 30, 50}  # those at a song's edge are left out


def test_the_same_generator_draws_the_same_segments():
    notes = find_notes(*labels(), STARTS)
    one, other = (
        draw_segments(notes, 5, frames=20, starts=STARTS, generator=torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(one.first, other.first)


def test_silence_and_short_songs_are_refused():
    with pytest.raises(ValueError, match=f"no bass note of {SHORTEST_NOTE} frames"):
        find_notes(torch.zeros(50), torch.zeros(50), torch.tensor([0, 50]))
    notes = find_notes(*labels(), STARTS)
    with pytest.raises(ValueError, match="segment of 161 frames"):
        draw_segments(notes, 1, frames=161, starts=STARTS, generator=torch.Generator())
