"""The terminal's table of a comparison of losses."""

from tonedeaf.harnesses.screen_swap import arms_table
from tonedeaf.results.seed_intervals import seed_mean
from tonedeaf.results.training_comparison import ArmName, ArmResult


def test_an_interval_that_is_cut_off_where_the_figure_ends_does_not_make_an_arm_look_surer():
    # 0, 0, 0.3: mean 0.1, half width 4.303·0.1732/√3 = 0.430: the interval begins at 0, its half is no 0.1.
    pitch = seed_mean([0.0, 0.0, 0.3], lowest=0.0, highest=1.0)
    arm = ArmResult(ArmName("mss", "audio-only", "soft"), (0, 1, 2), {}, {"raw_pitch_accuracy": pitch}, {}, None)
    (cell,) = (column for column in arms_table([arm]).columns if str(column.header).startswith("raw pitch"))
    assert [str(each) for each in cell.cells] == ["0.100 ±0.430"]
