"""A training step of BassNet, beside the plain one: windows a second, forward and backward and Adam.

The plain step is the equations as they stand, eager and in single precision: windows are cut out one by one; each
direction of a pair is computed for itself, so that a mix is encoded once for its own latent, once for its partner's and
once to be decoded with; decoders are transposed convolutions; tensors lie as PyTorch makes them. A window counts when
it has been reconstructed.

``make speed`` measures the tiny preset on all cores. By itself it measures any preset on any device, the two in turn:
``python benchmarks/speed/training_step.py --preset paper --device cuda``; with ``--precision`` and ``--compile`` as
they are in the preset, or as they are given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tonedeaf.bassnet.config import F_MIN, HOP, SAMPLE_RATE, BassNetConfig, preset
from tonedeaf.bassnet.features import FeatureSet
from tonedeaf.bassnet.model import BassNet, Posterior, Prediction
from tonedeaf.bassnet.objective import term_weights, terms, weighted_sum
from tonedeaf.bassnet.processes import alone
from tonedeaf.bassnet.residual import Decoder, Encoder, TransposedBlock
from tonedeaf.bassnet.trainer import Trainer, initial_model
from tonedeaf.bassnet.windows import Windows, WindowSource
from tonedeaf.harnesses.processes import available_cores


class PlainTrainer:
    """The plain step.

    Args:
        config: of model and training.
        source: where windows come from.
    """

    def __init__(self, config: BassNetConfig, source: WindowSource) -> None:
        self.config, self.source, self.step = config, source, 0
        self.model = initial_model(config, source.features).to(source.features.device).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.training.learning_rate)
        self.generator = torch.Generator().manual_seed(config.training.seed)

    def advance(self) -> None:
        """Make a step."""
        training = self.config.training
        apart = round(training.neighbourhood * SAMPLE_RATE / HOP)
        pairs = self.source.draw_pairs(training.batch // 2, apart=apart, generator=self.generator)
        noise = torch.randn(2, training.batch // 2, self.config.model.latent, generator=self.generator)
        first, second = (self.cut(each) for each in pairs)
        device = self.source.features.device
        noise_first, noise_second = noise.to(device)
        self.optimizer.zero_grad()
        loss = (self.loss(first, second, noise_second) + self.loss(second, first, noise_first)) / 2
        loss.backward()
        self.optimizer.step()
        self.step += 1
        loss.item()

    def cut(self, first: Tensor) -> Windows:
        """The windows that start at some frames, one by one."""
        each = [self.source.take(start[None]) for start in first]
        return Windows(*(torch.cat(parts) for parts in zip(*each, strict=True)))

    def loss(self, windows: Windows, partners: Windows, noise: Tensor) -> Tensor:
        """Equation 9: of ``windows``, from the latent of ``partners``."""
        posterior = self.encode(windows.x, windows.y)
        partner = self.encode(partners.x, partners.y)
        z = partner.mu + torch.exp(partner.log_variance / 2) * noise
        found = terms(windows, posterior, self.decode(windows.x, z), partner=partner)
        return weighted_sum(found, term_weights(self.config.objective, step=self.step))

    def encode(self, x: Tensor, y: Tensor) -> Posterior:
        """Equations 1 and 2."""
        return self.model.encode(x, y)

    def decode(self, x: Tensor, z: Tensor) -> Prediction:
        """Equation 4."""
        model = self.model
        mix = model.encoder_x(x)
        maps = (z @ model.mu.weight + model.mu_transposed_bias)[:, :, None, None].expand_as(mix)
        y = transposed(transposed(maps, model.decoder_z, model.encoder_z) * mix, model.decoder_y, model.encoder_y)
        return Prediction(y, model.pitch(y), model.level(y), model.onset(y))


def transposed(x: Tensor, decoder: Decoder, encoder: Encoder) -> Tensor:
    """A decoder, by transposed convolutions."""
    for block, tied in zip(decoder.blocks, reversed(encoder.stack), strict=True):
        assert isinstance(block, TransposedBlock)
        convolved = F.conv_transpose2d(x, tied.weight, padding=tied.dilation, dilation=tied.dilation)
        x = block.norm(convolved) + block.shortcut_norm(F.conv_transpose2d(x, tied.shortcut))
        x = F.relu(x) if block.activation else x
    return x


def drawn_features(config: BassNetConfig, device: torch.device) -> FeatureSet:
    """A song of a minute: what its spectra hold does not matter for the time."""
    generator = torch.Generator().manual_seed(0)
    frames = 6000
    spectra = (5 * torch.rand(2, frames, config.cqt.bins, generator=generator)).half().to(device)
    bits = (torch.rand(frames, generator=generator) < 0.5).float().to(device)
    return FeatureSet(
        mix=spectra[0],
        bass=spectra[1],
        f0=bits * F_MIN * 2,
        level=bits,
        level_minmax=bits,
        onset=bits,
        pattern=bits.long(),
        harmonics=None,
        starts=torch.tensor([0, frames], device=device),
    )


def steps(config: BassNetConfig, device: torch.device) -> dict[str, Callable[[], Any]]:
    """The two steps, by who makes them."""
    source = WindowSource(drawn_features(config, device), config.model, config.cqt)
    plain = replace(config, training=replace(config.training, precision="fp32", compile=False))
    ours = Trainer(config, source, audio_term=None, initial=None, processes=alone(device))
    return {"tonedeaf": lambda: ours.advance(1, lambda: None), "plain": PlainTrainer(plain, source).advance}


@pytest.mark.parametrize("who", ["tonedeaf", "plain"])
def test_a_training_step(measure: Any, who: str):
    torch.set_num_threads(available_cores())
    config = preset("tiny")
    run = steps(config, torch.device("cpu"))[who]
    measure("training", "a step of the tiny preset, 20 windows", who, run, rounds=10, windows=config.training.batch)


def test_both_steps_have_one_objective():
    config = preset("tiny")
    source = WindowSource(drawn_features(config, torch.device("cpu")), config.model, config.cqt)
    plain = PlainTrainer(config, source)
    model: BassNet = plain.model.eval()  # a batch's own statistics would depend on how it is divided
    pairs = source.draw_pairs(4, apart=500, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(8, config.model.latent)
    with torch.no_grad():
        first, second = (plain.cut(each) for each in pairs)
        apart = (plain.loss(first, second, noise[4:]) + plain.loss(second, first, noise[:4])) / 2
        windows = source.take(pairs.flatten())
        posterior, prediction = model(windows.x, windows.y, noise, partners=True)
        partner = Posterior(*(each.roll(4, 0) for each in posterior))
        found = terms(windows, posterior, prediction, partner=partner)
        # The mean over the voiced steps of all windows is not that of two halves' means.
        halves = [terms(half, *_rows(posterior, prediction, rows), partner=None)["f0"] for half, rows in
                  ((first, slice(0, 4)), (second, slice(4, 8)))]  # fmt: skip
        found["f0"] = torch.stack(halves).mean()
        together = weighted_sum(found, term_weights(config.objective, step=0))
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=0)


def _rows(posterior: Posterior, prediction: Prediction, rows: slice) -> tuple[Posterior, Prediction]:
    return Posterior(*(each[rows] for each in posterior)), Prediction(*(each[rows] for each in prediction))


def main() -> None:
    """Measure both, in turn, and print windows a second and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"])
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=5, help="a round")
    options = parser.parse_args()
    config, device = preset(options.preset), torch.device(options.device)
    said = {name: getattr(options, name) for name in ("precision", "compile")}
    training = replace(config.training, **{name: value for name, value in said.items() if value is not None})
    config = replace(config, training=training)
    fastest: dict[str, float] = {}
    both = steps(config, device)
    for _ in range(options.rounds + 1):  # the first round warms up
        for who, step in both.items():
            began = time.perf_counter()
            for _ in range(options.steps):
                step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            took = (time.perf_counter() - began) / options.steps
            fastest[who] = min(took, fastest.get(who, took))
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    how = f"{training.precision}{', compiled' if training.compile else ''}"
    print(f"{options.preset} preset, {where}, the fastest of {options.rounds} rounds of {options.steps} steps")
    for who, seconds in fastest.items():
        as_is = how if who == "tonedeaf" else "fp32, eager"
        print(f"{who:9} {training.batch / seconds:8.1f} windows/s  {1000 * seconds:8.1f} ms a step  ({as_is})")
    print(f"ratio     {fastest['plain'] / fastest['tonedeaf']:8.2f}")


if __name__ == "__main__":
    main()
