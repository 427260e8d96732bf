"""White noise of a seed."""

import numpy as np
import scipy.stats
import torch

from tonedeaf.benchmarks.signals import draw_noise_seeds, white_noise


def test_noise_is_white_and_normal():
    (noise,) = white_noise(torch.tensor([7]), 20000).numpy()
    assert scipy.stats.kstest(noise, "norm").pvalue > 1e-3
    power = np.abs(np.fft.rfft(noise)[1:-1]) ** 2 / len(noise)  # exponential, of mean 1, in each bin
    assert scipy.stats.kstest(power, "expon").pvalue > 1e-3


def test_noise_is_a_pure_function_of_its_seed():
    seeds = draw_noise_seeds(5, torch.Generator().manual_seed(0))
    together = white_noise(seeds, 300)
    assert torch.equal(together, torch.cat([white_noise(seeds[i : i + 1], 300) for i in range(5)]))
    assert len({tuple(row) for row in together.tolist()}) == 5
