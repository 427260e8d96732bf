"""The terminal's table of a comparison of losses."""

from tonedeaf.harnesses.screen_swap import arms_table, association_lines
from tonedeaf.results.rank_association import Association
from tonedeaf.results.ranking_and_training import Pair
from tonedeaf.results.seed_intervals import seed_mean
from tonedeaf.results.training_comparison import ArmName, ArmResult


def test_an_interval_that_is_cut_off_where_the_figure_ends_does_not_make_an_arm_look_surer():
    # 0, 0, 0.3: mean 0.1, half width 4.303·0.1732/√3 = 0.430: the interval begins at 0, its half is no 0.1.
    pitch = seed_mean([0.0, 0.0, 0.3], lowest=0.0, highest=1.0)
    arm = ArmResult(ArmName("mss", "audio-only", "soft"), (0, 1, 2), {}, {"raw_pitch_accuracy": pitch}, {}, None)
    (cell,) = (column for column in arms_table([arm]).columns if str(column.header).startswith("raw pitch"))
    assert [str(each) for each in cell.cells] == ["0.100 ±0.430"]


def test_the_pair_of_the_question_is_shown_on_every_path_however_unsure_it_is():
    def pair(path: str, ranking: str, training: str, p: float, holm: float | None) -> Pair:
        return Pair("audio-only", path, ranking, training, {}, Association(0.5, p, 12), holm)

    others = [pair("soft", "mean", "octave_errors", 0.01, 0.5) for _ in range(9)]
    unsure = pair("soft", "pitch_minimum", "raw_pitch_accuracy", 0.9, 1.0)
    named = pair("marginal", "pitch_minimum", "raw_pitch_accuracy", 0.04, None)
    lines = association_lines([named, *others, unsure])
    assert lines[:3] == [
        "primary: pitch_minimum and raw_pitch_accuracy (audio-only, path marginal): Spearman +0.50, p = 0.04 over 12 "
        "distances",
        "exploratory: pitch_minimum and raw_pitch_accuracy (audio-only, path soft): Spearman +0.50, p = 1 (corrected) "
        "over 12 distances",
        "the surest of 10 exploratory pairs (p corrected by Holm):",
    ]
    assert len(lines) == 3 + 5
