"""The steps of a training: what a batch is, its loss, and Adam."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from .checkpoint import State, load_weights
from .config import HOP, SAMPLE_RATE, BassNetConfig
from .features import FeatureSet
from .model import BassNet, Posterior
from .objective import term_weights, terms, weighted_sum
from .processes import Processes
from .windows import Windows, WindowSource

_AUDIO_SEED = 1
"""Apart from the seed of the batches, so that these are the same for every audio term."""
_FRAMES_OF_SCALE = 10_000
"""Enough for a mean and a standard deviation."""


class AudioTerm(Protocol):
    """A term that is added to the objective, such as a distance between sounds; called once a training step."""

    def __call__(
        self, model: BassNet, features: FeatureSet, generator: torch.Generator, step: int
    ) -> Mapping[str, Tensor]:
        """Scalars by name.

        Args:
            model: in training mode, on the features' device.
            features: of the training songs.
            generator: for what the term draws, on the CPU. It is the term's own: what the objective draws does not
                depend on it, and a run that goes on finds it as it was.
            step: from 0.

        Returns:
            Under ``loss`` what is added to the objective, differentiable. The rest is only logged, under its names.
        """
        ...


class DivergedError(ArithmeticError):
    """The loss is no number any more; the message names step and term."""


class Trainer:
    """A model on its way.

    Args:
        config: of model and training.
        source: where the windows of the training songs come from.
        audio_term: what is added to the objective, if anything.
        initial: whose weights it starts from; None draws them from the seed.
        processes: this one among its like.

    Attributes:
        model: with the weights as they are.
        step: so many have been made.
    """

    def __init__(
        self,
        config: BassNetConfig,
        source: WindowSource,
        *,
        audio_term: AudioTerm | None,
        initial: BassNet | None,
        processes: Processes,
    ) -> None:
        self.config, self.step = config, 0
        self._source, self._audio_term, self._processes = source, audio_term, processes
        device = source.features.device
        self.model = initial_model(config, source.features).to(device)
        if initial is not None:
            load_weights(self.model, initial.state_dict(), "initial")
        # Channels last: the layout in which convolutions need no copies.
        self.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.training.learning_rate, fused=device.type in ("cpu", "cuda")
        )
        self._bfloat16 = config.training.precision == "bf16" or (
            config.training.precision == "auto" and multiplies_in_bfloat16(device)
        )
        self._generator = torch.Generator().manual_seed(config.training.seed)
        self._audio_generator = torch.Generator().manual_seed(config.training.seed + _AUDIO_SEED)
        self._terms: Callable[[Windows, Tensor], dict[str, Tensor]] = (
            torch.compile(self._forward) if config.training.compile else self._forward
        )

    def advance(self, steps: int, after_step: Callable[[], None]) -> dict[str, float]:
        """Make steps.

        Args:
            steps: how many.
            after_step: called after each.

        Returns:
            The mean of each term over the steps, and of the ``loss``.

        Raises:
            DivergedError: if a term is not finite; the weights are of no use then.
        """
        self.model.train()
        found: list[dict[str, Tensor]] = []
        for _ in range(steps):
            found.append(self._make_step())
            self.step += 1
            after_step()
        names = list(found[0])
        # One transfer for all steps, so that a GPU need not be waited for at each.
        table = torch.stack([torch.stack([each[name] for name in names]) for each in found]).double().cpu()
        finite = table.isfinite()
        if not finite.all():
            row = int((~finite.all(1)).nonzero()[0])
            column = int((~finite[row]).nonzero()[0])
            step = self.step - steps + row
            raise DivergedError(
                f"{names[column]} is {table[row, column].item()} at step {step}: training has diverged "
                f"(learning rate {self._learning_rate(step):g}); the last checkpoint is kept"
            )
        return dict(zip(names, table.mean(0).tolist(), strict=True))

    def average_statistics(self) -> None:
        """Make batch normalisation's running statistics the same in all processes."""
        self._processes.average([buffer for buffer in self.model.buffers() if buffer.is_floating_point()])

    @property
    def learning_rate(self) -> float:
        """Of the latest step."""
        return self._learning_rate(max(0, self.step - 1))

    def state(self) -> State:
        """All that is needed to go on."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for index, moments in self._optimizer.state_dict()["state"].items():
            tensors.update({f"optimizer.{index}.{name}": tensor for name, tensor in moments.items()})
        tensors["generator"] = self._generator.get_state()
        tensors["audio_generator"] = self._audio_generator.get_state()
        return State(tensors=tensors, facts={"step": self.step})

    def restore(self, state: State, source: str) -> None:
        """Go on from a state.

        Raises:
            ValueError: if it is of another configuration, or lacks something.
        """
        weights = {
            name.removeprefix("model."): tensor for name, tensor in state.tensors.items() if name.startswith("model.")
        }
        load_weights(self.model, weights, source)
        document = self._optimizer.state_dict()
        parameters = list(self.model.parameters())
        for name, tensor in state.tensors.items():
            if name.startswith("optimizer."):
                _, index, moment = name.split(".")
                like = parameters[int(index)] if tensor.ndim else tensor
                # In the parameter's memory layout: fused Adam takes it for granted.
                document["state"].setdefault(int(index), {})[moment] = torch.empty_like(like).copy_(tensor)
        self._optimizer.load_state_dict(document)
        try:
            self._generator.set_state(state.tensors["generator"])
            self._audio_generator.set_state(state.tensors["audio_generator"])
            self.step = int(state.facts["step"])
        except KeyError as error:
            raise ValueError(f"{source} is damaged: it lacks {error}") from error

    def _make_step(self) -> dict[str, Tensor]:
        training = self.config.training
        pairs = self._source.draw_pairs(
            training.batch // 2,
            apart=round(training.neighbourhood * SAMPLE_RATE / HOP),
            generator=self._generator,
        )
        noise = torch.randn(2, training.batch // 2, self.config.model.latent, generator=self._generator)
        first = self._processes.share(pairs).flatten()
        noise = self._processes.share(noise.movedim(2, 0)).movedim(0, 2).flatten(0, 1)
        windows = self._source.take(first, transposed=self._draw_transposition())
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate(self.step)
        self._optimizer.zero_grad(set_to_none=True)
        found = self._terms(windows, noise.to(windows.x.device, non_blocking=True))
        loss = weighted_sum(found, term_weights(self.config.objective, step=self.step))
        if self._audio_term is not None:
            added = self._audio_term(self.model, self._source.features, self._audio_generator, self.step)
            loss = loss + added["loss"]
            found.update({"audio" if name == "loss" else name: term for name, term in added.items()})
        loss.backward()
        self._processes.average([each.grad for each in self.model.parameters() if each.grad is not None])
        self._optimizer.step()
        return {name: term.detach() for name, term in {**found, "loss": loss}.items()}

    def _draw_transposition(self) -> Tensor | None:
        """By how many bins each of this process's windows is moved: partners alike, or their latents would differ."""
        training = self.config.training
        if not training.transposition:
            return None
        furthest = training.transposition / 1200 * self.config.cqt.bins_per_octave
        moved = (2 * torch.rand(training.batch // 2, generator=self._generator) - 1) * furthest
        return self._processes.share(moved).repeat(2)

    def _forward(self, windows: Windows, noise: Tensor) -> dict[str, Tensor]:
        crossed = self.config.objective.cross_reconstruction
        with torch.autocast(windows.x.device.type, torch.bfloat16, enabled=self._bfloat16, cache_enabled=False):
            posterior, prediction = self.model(windows.x, windows.y, noise, partners=crossed)
        half = len(noise) // 2
        partner = Posterior(*(each.roll(half, 0) for each in posterior)) if crossed else None
        return terms(windows, posterior, prediction, partner=partner)

    def _learning_rate(self, step: int) -> float:
        training = self.config.training
        if training.learning_rate_decay == "constant" or training.max_steps is None:
            return training.learning_rate
        return training.learning_rate * (1 + math.cos(math.pi * step / training.max_steps)) / 2


def multiplies_in_bfloat16(device: torch.device) -> bool:
    """Whether a processor multiplies in bfloat16 itself, and does not merely emulate it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def initial_model(config: BassNetConfig, features: FeatureSet) -> BassNet:
    """A model with the weights that training starts from: those of its seed, and the output's scale from the data."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        model = BassNet(config.model, config.cqt)
    if config.training.start_at_scale:
        some = features.bass[:: max(1, len(features.bass) // _FRAMES_OF_SCALE)].double()
        deviation, mean = torch.std_mean(some)
        model.start_output_at(mean.item(), deviation.item())
    return model
