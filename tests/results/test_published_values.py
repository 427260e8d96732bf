"""Every published number is there, as the paper prints it."""

import re

from tonedeaf.results.published_values import RANKING_COLUMNS, SPECTRAL_DISTANCES, table1

# Turian & Henry (2020), Table 1, as printed: pitch analytic, 30 and 600 cents; level analytic, 2 and 10 dB.
PRINTED = """
spectrogram             0.617 0.574 0.695 0.535 0.518 0.514
log_spectrogram         0.548 0.541 0.679 0.607 0.577 0.615
mel                     0.511 0.479 0.580 0.564 0.544 0.551
mfcc                    0.532 0.603 0.648 0.593 0.931 0.999
mss                     0.771 0.905 0.978 0.550 0.530 0.531
log_mss                 0.532 0.665 0.879 0.719 0.730 0.783
log2_spectral_centroid  0.515 1.000 1.000 0.460 0.503 0.518
nsynth_wavenet          -     0.588 0.862 -     0.873 0.938
vggish                  -     0.536 0.652 -     0.595 0.636
openl3                  -     0.594 0.989 -     0.507 0.480
wav2vec2_large_lv60     -     0.727 0.831 -     0.682 0.738
"""


def test_every_published_number_is_present() -> None:
    printed = {name: values for name, *values in (line.split() for line in PRINTED.strip().splitlines())}
    table = table1()
    assert list(table.rows) == list(printed)
    for distance, values in printed.items():
        ours = [table.value(distance, column) for column in RANKING_COLUMNS]
        assert ["-" if value is None else f"{value:.3f}" for value in ours] == values


def test_the_table_says_what_it_is() -> None:
    table = table1()
    assert table.columns == RANKING_COLUMNS
    assert (table.trials, table.worst_case_95ci) == (1000, 0.032)
    assert re.search(r"Turian.*Henry.*2020.*Table 1", table.source)
    assert tuple(table.rows)[:7] == SPECTRAL_DISTANCES
    assert table.value("log_spectral_transport", "pitch_analytic") is None
    assert all(None not in table.rows[distance] for distance in SPECTRAL_DISTANCES)
