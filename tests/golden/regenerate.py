"""Write ``distances.json``: what every registered distance says of one fixed pair of signals.

Run as ``python tests/golden/regenerate.py`` after a distance was added, or changed on purpose; the difference in the
file is then part of the change. It guards against changes that nobody meant: what the numbers should be is for the
comparisons with other people's code in ``tests/losses``.
"""

import json
import math
import warnings
from pathlib import Path

import torch
from torch import Tensor

from tonedeaf.losses import AudioDistance, make, names

GOLDEN = Path(__file__).with_name("distances.json")


def golden_signals(distance: AudioDistance) -> tuple[Tensor, Tensor]:
    """Two tones of three partials each, 700 cents and 6 dB apart, 0.1 s at least, float64."""
    samples = max(round(0.1 * distance.sample_rate), distance.min_samples)
    time = torch.arange(samples, dtype=torch.float64) / distance.sample_rate

    def tone(f0: float, gain: float) -> Tensor:
        partials = [gain / h * torch.cos(2 * math.pi * (h * f0 * time + h**2 / 7)) for h in (1, 2, 3)]
        return torch.stack(partials).sum(0).unsqueeze(0)

    return tone(220 * 2 ** (7 / 12), 0.25), tone(220, 0.5)


def golden_values() -> dict[str, float]:
    """Name to distance, for every distance that is available here."""
    values: dict[str, float] = {}
    for name in names():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of empty mel filters
            try:
                distance = make(name)
            except ImportError:
                continue
        values[name] = float(distance(*golden_signals(distance)))
    return values


def updated(before: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    """The values found, in the table's order; one that is as before but for rounding, or not available here, stays."""
    return {
        name: before[name] if name in before and math.isclose(found.get(name, before[name]), before[name], rel_tol=1e-6)
        else found[name]
        for name in names()
        if name in before or name in found
    }  # fmt: skip


if __name__ == "__main__":
    values = updated(json.loads(GOLDEN.read_text(encoding="utf-8")), golden_values())
    GOLDEN.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
