"""Training in detail: what the tables of differences, harmonics and pairs are made of."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from tonedeaf.results import Record
from tonedeaf.results.leaderboard import Standing
from tonedeaf.results.publication import Publication
from tonedeaf.results.studies import Study, studies
from tonedeaf.results.training_details import differences_markdown, harmonics_markdown, pairs_markdown
from tonedeaf.results.training_text import study_markdown

MakeRecord = Callable[..., Record]


def with_metrics(record: Record, **more: Any) -> Record:
    return msgspec.structs.replace(record, metrics={**record.metrics, **more})


def one_study(*records: Record) -> Study:
    (study,), _ = studies(records)
    return study


def cells(markdown: str, row: str) -> dict[str, str]:
    """A row of a table by the headings."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines() if line[:1] == "|"]
    return dict(zip(lines[0], next(line for line in lines if line[0] == row), strict=True))


def test_differences_are_within_seeds(make_evaluation: MakeRecord):
    paper, mss = (0.90, 0.50, 0.70), (0.80, 0.41, 0.59)  # -0.10, -0.09, -0.11: the seeds differ far more
    study = one_study(
        *(make_evaluation("paper", seed, pitch=pitch) for seed, pitch in enumerate(paper)),
        *(make_evaluation("mss", seed, pitch=pitch) for seed, pitch in enumerate(mss)),
        make_evaluation("mel", 0, pitch=0.95),
    )
    found = differences_markdown(study)
    half = 4.302653 * 0.01 / 3**0.5  # Student's t for 2 degrees of freedom
    expected = f"**−0.100 (−{0.1 + half:.3f} to −{0.1 - half:.3f})**"
    assert cells(found, "`mss`")["raw pitch accuracy ↑"] == expected, "bold: 0 is left out"
    assert cells(found, "`mss`")["seeds"] == "3"
    assert cells(found, "`mel`")["raw pitch accuracy ↑"] == "+0.050", "one seed has no interval"
    assert "`paper`" not in found
    alone = one_study(make_evaluation("mss", 0), make_evaluation("mel", 0))
    assert differences_markdown(alone) == ""


def test_an_interval_with_0_in_it_is_not_bold(make_evaluation: MakeRecord):
    pitches = {"paper": (0.5, 0.5), "mss": (0.4, 0.7)}
    study = one_study(
        *(make_evaluation(loss, n, pitch=p) for loss, both in pitches.items() for n, p in enumerate(both))
    )
    assert cells(differences_markdown(study), "`mss`")["raw pitch accuracy ↑"].startswith("+0.050 (−")


def test_each_harmonic_s_error_is_a_mean_over_the_seeds_that_all_have_it(make_evaluation: MakeRecord):
    def judged(loss: str, seed: int, *errors: float | None) -> Record:
        rows = [{"harmonic": h, "n": 9, "value": error} for h, error in enumerate(errors, 1)]
        return with_metrics(make_evaluation(loss, seed), harmonic_db_level_free_of_each=rows)

    paper = [judged("paper", seed, 0.5, 0.5, 0.5) for seed in (0, 1)]
    deaf = with_metrics(judged("snr", 0, 0.1), raw_pitch_accuracy=0.4)
    losses = judged("mss", 0, 1.0, 2.0, 3.0), judged("mss", 1, 2.0, 4.0, None), judged("mel", 0, 7.0, None)
    study = one_study(*paper, *losses, deaf)
    found = harmonics_markdown(study)
    assert cells(found, "`mss`") == {"loss": "`mss`", "1": "1.5", "2": "3.0", "3": "–"}, "not known of every seed"
    assert cells(found, "`mel`")["2"] == "–"
    assert "`snr`" not in found, "right in fewer frames than the paper's own objective"
    assert harmonics_markdown(one_study(*paper, deaf)) == "", "no loss is left"
    assert harmonics_markdown(one_study(make_evaluation("mss", 0), make_evaluation("mel", 0))) == ""


def test_every_pair_of_figures_is_shown_and_the_primary_one_marked(make_evaluation: MakeRecord):
    pitches = {"mss": 0.3, "mel": 0.2, "tonedeaf": 0.8, "mfcc": 0.5, "log_mss": 0.6}
    study = one_study(*(make_evaluation(loss, 0, pitch=pitch) for loss, pitch in pitches.items()))
    columns = {name: {("sines", "pitch_analytic"): pitch} for name, pitch in pitches.items()}
    standings = [
        Standing(name, of_one, 0, False, {where: (value, value) for where, value in of_one.items()})
        for name, of_one in columns.items()
    ]
    board = SimpleNamespace(title="16 kHz")
    found = pairs_markdown(
        cast(Publication, SimpleNamespace(studies=[study], ranking_of=lambda _study: (board, standings)))
    )
    assert found.startswith(f"**{study.title}**; ranking: 16 kHz")
    worst = cells(found, "worst cell of pitch")
    assert worst["raw pitch accuracy"] == "+1.00†"
    assert worst["octave errors"] == "+1.00", "fewer are better"
    assert set(cells(found, "pitch analytic").values()) == {"pitch analytic", "+1.00"}, "each column, too"
    assert "5 distances. Signed so" in found
    assert "†: named in advance" in found
    for none in (None, (board, standings[:4])):
        nothing = SimpleNamespace(studies=[study], ranking_of=lambda _study, none=none: none)
        assert pairs_markdown(cast(Publication, nothing)).startswith("No 5 distances")


def test_what_naming_a_timbre_scores_is_a_mean_over_the_seeds(make_evaluation: MakeRecord):
    def judged(loss: str, seed: int, error: float) -> Record:
        return with_metrics(make_evaluation(loss, seed), harmonic_db_level_free_typical={"value": error})

    study = one_study(judged("mss", 0, 4.0), judged("mel", 0, 4.0), judged("mss", 1, 6.0), make_evaluation("mel", 1))
    assert study.typical_timbre is not None
    assert (study.typical_timbre.value, study.typical_timbre.n) == (5.0, 2), "each seed once"
    assert "named without listening, errs by 5.000 (" in study_markdown(study)
    assert "named" not in study_markdown(one_study(make_evaluation("mss", 0), make_evaluation("mel", 0)))


def test_how_many_songs_judge_is_said(make_evaluation: MakeRecord):
    records = [
        with_metrics(make_evaluation(loss, 0), raw_pitch_accuracy={"value": 0.5, "songs": 2}) for loss in ("mss", "mel")
    ]
    assert study_markdown(one_study(*records)).splitlines()[0].endswith("; each judged on 2 held-out songs")
    bare = one_study(make_evaluation("mss", 0), make_evaluation("mel", 0))
    assert study_markdown(bare).splitlines()[0].endswith("seeds 0")
