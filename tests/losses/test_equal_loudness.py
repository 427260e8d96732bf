"""Equal-loudness contours against mosqito's, and what spectral distances do with them."""

import numpy as np
import pytest
import torch

from tonedeaf.losses import make
from tonedeaf.losses.equal_loudness import FREQUENCIES, equal_loudness_contour, loudness_weights
from tonedeaf.losses.spectrogram import Spectrogram
from tonedeaf.losses.stft import Stft

# mosqito 1.2.1, mosqito.sq_metrics.loudness.utils.equal_loudness_contours: dB at ISO 226:2003's 29 frequencies, to 1e-4
# dB. Numbers, not the package: to import it takes readers of measurement files as well.
MOSQITO = {
    20: (
        "89.5781 82.6513 75.9764 69.6171 64.0178 58.552 53.1898 48.3809 43.9414 39.3702 35.5126 31.9922 28.6866 "
        "25.6703 23.4263 21.4825 20.1011 20.0052 21.4618 21.4013 18.1515 15.3844 14.2559 15.1415 18.6349 25.0196 "
        "31.5227 34.4256 33.0444 "
    ),
    40: (
        "99.8539 93.9444 88.1659 82.6287 77.7849 73.0825 68.4779 64.3711 60.5855 56.7022 53.4087 50.3992 47.5775 "
        "44.9766 43.0507 41.3392 40.0618 40.01 41.8195 42.5076 39.2296 36.509 35.6089 36.6492 40.0077 45.8283 "
        "51.7968 54.2841 51.4859 "
    ),
    60: (
        "109.5113 104.2279 99.0779 94.1773 89.9635 85.9434 82.0534 78.6546 75.5635 72.4743 69.8643 67.5348 65.3917 "
        "63.451 62.0512 60.815 59.8867 60.0116 62.1549 63.1894 59.9616 57.2552 56.4239 57.5699 60.8882 66.3613 "
        "71.664 73.1551 68.6308 "
    ),
    80: (
        "118.99 114.2326 109.6457 105.3367 101.7214 98.3618 95.1729 92.4797 90.0892 87.8162 85.9166 84.308 82.8934 "
        "81.6786 80.8634 80.1736 79.6691 80.0121 82.4834 83.7408 80.5867 77.8847 77.0748 78.3124 81.6182 86.8087 "
        "91.4062 91.7361 85.4068 "
    ),
}


def mosqito(phon: int) -> np.ndarray:
    return np.array([float(level) for level in MOSQITO[phon].split()])


@pytest.mark.parametrize("phon", MOSQITO)
def test_contour_is_mosqitos(phon: int):
    np.testing.assert_allclose(equal_loudness_contour(phon), mosqito(phon), rtol=0, atol=6e-5)


@pytest.mark.parametrize("phon", MOSQITO)
def test_weights_undo_the_contour(phon: int):
    level = mosqito(phon)
    decibels = 20 * np.log10(loudness_weights(FREQUENCIES, phon))
    np.testing.assert_allclose(decibels, level[FREQUENCIES == 1000] - level, rtol=0, atol=2e-4)
    assert decibels[FREQUENCIES == 1000] == 0


def test_between_the_frequencies_of_the_table_decibels_are_linear_in_the_logarithm_of_frequency():
    middle = np.sqrt(FREQUENCIES[:-1] * FREQUENCIES[1:])
    at_table = loudness_weights(FREQUENCIES, 60)
    np.testing.assert_allclose(loudness_weights(middle, 60), np.sqrt(at_table[:-1] * at_table[1:]), rtol=1e-12)


def test_beyond_the_table_its_ends_hold():
    found = loudness_weights(np.array([0.0, 5.0, 20.0, 12500.0, 22050.0]), 60)
    np.testing.assert_array_equal(found[:2], found[2])
    assert found[3] == found[4]


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_equally_loud_tones_have_equal_peaks(power: float):
    """100 Hz and 1 kHz, each in the middle of a bin, at the levels that mosqito gives for 60 phon."""
    rate, level = 16000, dict(zip(FREQUENCIES, mosqito(60), strict=True))
    time = torch.arange(3200, dtype=torch.float64) / rate
    tones = [
        10 ** ((level[frequency] - 80) / 20) * torch.sin(2 * torch.pi * frequency * time)
        for frequency in (100.0, 1000.0)
    ]
    distance = Spectrogram(sample_rate=rate, n_fft=1600, power=power, loudness_phon=60)
    spectra = distance.represent(torch.stack(tones))[:, 0]
    assert spectra.argmax(-1).tolist() == [10, 100]
    peaks = spectra.amax(-1)
    assert float(peaks[0] / peaks[1]) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("name", ["spectrogram", "mss", "mel[n_mels=40]", "ddsp_mss", "mss_revisited"])
def test_a_low_tone_counts_less_beside_one_at_1_khz(name: str):
    time = torch.arange(8192, dtype=torch.float64) / 44100
    target = 0.3 * torch.sin(2 * torch.pi * 3000 * time)[None]
    low, high = (0.3 * torch.sin(2 * torch.pi * frequency * time)[None] + target for frequency in (60.0, 1000.0))
    plain = make(name)
    weighted = make(name.removesuffix("]") + (";" if "[" in name else "[") + "loudness_phon=60]")
    unheard = weighted(low, target) / weighted(high, target)
    assert float(unheard) < 0.9 * float(plain(low, target) / plain(high, target))


@pytest.mark.parametrize("name", ["spectrogram", "log_spectrogram", "mss", "log_mss"])
def test_registered_names_are_the_plain_ones_at_60_phon(name: str):
    # So quiet that the floor of the logarithm matters.
    signals = 1e-3 * torch.randn(2, 2, 4096, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weighted = make(f"loudness_weighted_{name}")
    assert weighted.specification is not None
    assert weighted.specification.parameters["loudness_phon"] == 60
    assert torch.equal(weighted(*signals), make(f"{name}[loudness_phon=60]")(*signals))
    assert not torch.allclose(weighted(*signals), make(name)(*signals), rtol=0.01)


@pytest.mark.parametrize("phon", ["19.9", "80.1", "nan"])
def test_loudness_level_out_of_the_standards_range(phon: str):
    with pytest.raises(ValueError, match=f"loudness_phon must be between 20 and 80 phon, or none, got {phon}"):
        make(f"mss[loudness_phon={phon}]")


def test_loudness_needs_a_sample_rate():
    with pytest.raises(ValueError, match="loudness_phon needs sample_rate"):
        Stft(loudness_phon=60)
