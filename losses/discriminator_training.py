"""Train discriminators, so that feature matching has something to match: real sound against its imitation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from .checkpoints import state_sha256


def train_discriminators(
    discriminators: nn.Module,
    pairs: Iterable[tuple[Tensor, Tensor]],
    *,
    learning_rate: float = 1e-4,
) -> list[float]:
    """Teach discriminators to score real signals 1 and imitations 0 (least squares), a step for each pair of batches.

    ``L = Σ_k mean (1 − D_k(real))² + mean D_k(imitation)²``, with ``D_k`` the scores of discriminator ``k``.

    Args:
        discriminators: :class:`~tonedeaf.losses.discriminators.MelganDiscriminators` or
            :class:`~tonedeaf.losses.discriminators.HifiganDiscriminators`; changed in place. The distance resamples to
            22,050 Hz, so signals should have that rate.
        pairs: real signals and imitations of them (a vocoder's output, or a model's that is being trained), both
            ``(batch, samples)``.
        learning_rate: of Adam, with the moments' decay 0.8 and 0.99.

    Returns:
        The loss ``L`` of each step, before it.

    Raises:
        ValueError: if a pair is not two batches of one shape.

    Source:
        Kong, Kim & Bae 2020, "HiFi-GAN" (arXiv:2010.05646), Equation 1.

    Example:
        >>> from tonedeaf.losses.discriminators import MelganDiscriminators
        >>> noise = torch.randn(2, 2, 256, generator=torch.Generator().manual_seed(0))
        >>> len(train_discriminators(MelganDiscriminators(most_channels=64), [(noise[0], noise[1])]))
        1
    """
    optimiser = torch.optim.Adam(discriminators.parameters(), lr=learning_rate, betas=(0.8, 0.99))
    losses: list[float] = []
    for real, imitation in pairs:
        if real.ndim != 2 or real.shape != imitation.shape:
            raise ValueError(
                f"a pair must be two batches of one shape (batch, samples), got {tuple(real.shape)} and "
                f"{tuple(imitation.shape)}"
            )
        scores = zip(discriminators(real), discriminators(imitation.detach()), strict=True)
        loss = torch.stack(
            [(1 - ours[-1]).square().mean() + theirs[-1].square().mean() for ours, theirs in scores]
        ).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def save_discriminators(discriminators: nn.Module, path: Path) -> str:
    """Write discriminators where ``feature_matching[weights=PATH]`` can read them.

    Args:
        discriminators: of either kind.
        path: ends in ``.safetensors``.

    Returns:
        SHA-256 of the tensors.

    Raises:
        ValueError: if the path ends otherwise.
        ImportError: if safetensors is not installed.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"discriminators are saved as .safetensors, got {path}")
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise ImportError("saving discriminators needs safetensors: pip install 'tonedeaf[neural]'") from error
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in discriminators.state_dict().items()}
    save_file(state, path)
    return state_sha256(state)
