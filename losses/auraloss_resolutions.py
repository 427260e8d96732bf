"""auraloss's STFT loss at several resolutions, chosen or drawn at random."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .auraloss_stft import AuralossStft, Prefilter, make_prefilter
from .base import RepresentationDistance
from .norms import Norm
from .stft import Padding


class _Resolutions(RepresentationDistance):
    """The mean of several :class:`AuralossStft`, behind one pre-filter."""

    source = "Yamamoto, Song & Kim 2020 (arXiv:1910.11480); auraloss.freq.MultiResolutionSTFTLoss 0.4.0"
    symmetric = False

    def __init__(self, *, sample_rate: float, prefilter: Prefilter | None) -> None:
        super().__init__(sample_rate=sample_rate)
        self.prefilter = make_prefilter(prefilter, sample_rate)
        self.resolutions = nn.ModuleList()

    def _set_resolutions(self, resolutions: Iterable[AuralossStft]) -> None:
        self.resolutions = nn.ModuleList(resolutions)

    def _each(self) -> Iterator[AuralossStft]:
        for resolution in self.resolutions:
            assert isinstance(resolution, AuralossStft)
            yield resolution

    @property
    def min_samples(self) -> int:
        """One frame of the longest transform."""
        return max(resolution.min_samples for resolution in self._each())

    def represent(self, signal: Tensor) -> tuple[Tensor, ...]:
        """``(batch, samples)`` to the magnitudes ``(batch, frames, bins)`` of each resolution."""
        if self.prefilter is not None:
            signal = self.prefilter(signal)
        return tuple(resolution.represent(signal) for resolution in self._each())

    def compare(self, prediction: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        """The mean over the resolutions: ``(batch,)``."""
        terms = [
            resolution.compare(ours, theirs)
            for resolution, ours, theirs in zip(self._each(), prediction, target, strict=True)
        ]
        return torch.stack(terms).mean(0)


class AuralossMultiResolution(_Resolutions):
    """The mean of :class:`~tonedeaf.losses.auraloss_stft.AuralossStft` over several resolutions.

    Args:
        sample_rate: in Hz; only mel filters and the pre-filter depend on it.
        n_ffts: the transform lengths, in samples.
        hop_lengths: samples between frames, one for each.
        win_lengths: window lengths, in samples, one for each.
        window: a window name of ``scipy.signal.get_window``.
        w_sc: weight of the spectral convergence.
        w_log_mag: weight of the logarithmic magnitudes.
        w_lin_mag: weight of the magnitudes.
        n_mels: compare that many mel bands in place of frequency bins; None compares bins.
        scale_invariance: scale the target's magnitudes first, so that they fit the prediction's best.
        prefilter: ``a_weighting`` or None.
        eps: the smallest power.
        norm: of the two differences of magnitudes.
        padding: ``reflect`` as in auraloss, ``valid`` or ``constant``.

    Raises:
        ValueError: if a parameter is out of its range, or the three lists differ in length.

    Source:
        Yamamoto, Song & Kim 2020, "Parallel WaveGAN"; ``auraloss.freq.MultiResolutionSTFTLoss`` 0.4.0, whose value and
        defaults these are for a batch of one.

    Departures:
        As :class:`~tonedeaf.losses.auraloss_stft.AuralossStft`.
    """

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        n_ffts: tuple[int, ...] = (1024, 2048, 512),
        hop_lengths: tuple[int, ...] = (120, 240, 50),
        win_lengths: tuple[int, ...] = (600, 1200, 240),
        window: str = "hann",
        w_sc: float = 1.0,
        w_log_mag: float = 1.0,
        w_lin_mag: float = 0.0,
        n_mels: int | None = None,
        scale_invariance: bool = False,
        prefilter: Prefilter | None = None,
        eps: float = 1e-8,
        norm: Norm = "l1",
        padding: Padding = "reflect",
    ) -> None:
        super().__init__(sample_rate=sample_rate, prefilter=prefilter)
        if not 0 < len(n_ffts) == len(hop_lengths) == len(win_lengths):
            raise ValueError(
                "n_ffts, hop_lengths and win_lengths must be equally long and not empty, "
                f"got {len(n_ffts)}, {len(hop_lengths)} and {len(win_lengths)} values"
            )
        self._set_resolutions(
            AuralossStft(
                sample_rate=sample_rate,
                n_fft=n_fft,
                hop_length=hop_length,
                win_length=win_length,
                window=window,
                w_sc=w_sc,
                w_log_mag=w_log_mag,
                w_lin_mag=w_lin_mag,
                n_mels=n_mels,
                scale_invariance=scale_invariance,
                eps=eps,
                norm=norm,
                padding=padding,
            )
            for n_fft, hop_length, win_length in zip(n_ffts, hop_lengths, win_lengths, strict=True)
        )


class AuralossRandomResolution(_Resolutions):
    """The mean of :class:`~tonedeaf.losses.auraloss_stft.AuralossStft` over resolutions drawn at random.

    Each has a transform length drawn from the powers of two, a hop that is a share of it, a window of the whole, a half
    or a quarter of its length, and a window shape, all uniformly. They are drawn from ``seed`` when the distance is
    made, so that the same call gives the same number; :meth:`draw` draws others, before each step of a training if one
    likes.

    Args:
        sample_rate: in Hz; only mel filters and the pre-filter depend on it.
        seed: of the first draw.
        resolutions: how many are drawn.
        min_n_fft: the shortest transform, in samples; a power of two.
        max_n_fft: in samples; a power of two; all transforms are shorter than it, as in auraloss.
        min_hop: the shortest hop, as a share of the transform length.
        max_hop: the longest.
        windows: window names of ``scipy.signal.get_window``; a parameter follows a colon.
        w_sc: weight of the spectral convergence.
        w_log_mag: weight of the logarithmic magnitudes.
        w_lin_mag: weight of the magnitudes.
        n_mels: compare that many mel bands in place of frequency bins; None compares bins.
        prefilter: ``a_weighting`` or None.
        eps: the smallest power.
        norm: of the two differences of magnitudes.
        padding: ``reflect`` as in auraloss, ``valid`` or ``constant``.

    Raises:
        ValueError: if a parameter is out of its range.

    Source:
        Steinmetz & Reiss 2020, "auraloss: Audio-focused loss functions in PyTorch";
        ``auraloss.freq.RandomResolutionSTFTLoss`` 0.4.0.

    Departures:
        auraloss draws from NumPy's global generator, anew at every call, and asks for signals longer than
        ``max_n_fft``; here they need only be long enough for what was drawn.
    """

    source = "Steinmetz & Reiss 2020 (DMRN+15); auraloss.freq.RandomResolutionSTFTLoss 0.4.0"

    def __init__(
        self,
        *,
        sample_rate: float = 44100,
        seed: int = 0,
        resolutions: int = 3,
        min_n_fft: int = 16,
        max_n_fft: int = 32768,
        min_hop: float = 0.1,
        max_hop: float = 1.0,
        windows: tuple[str, ...] = ("hann", "bartlett", "blackman", "hamming", "kaiser:12"),
        w_sc: float = 1.0,
        w_log_mag: float = 1.0,
        w_lin_mag: float = 0.0,
        n_mels: int | None = None,
        prefilter: Prefilter | None = None,
        eps: float = 1e-8,
        norm: Norm = "l1",
        padding: Padding = "reflect",
    ) -> None:
        super().__init__(sample_rate=sample_rate, prefilter=prefilter)
        if resolutions < 1:
            raise ValueError(f"resolutions must be at least 1, got {resolutions}")
        if not 8 <= min_n_fft < max_n_fft or any(n.bit_count() != 1 for n in (min_n_fft, max_n_fft)):
            raise ValueError(
                "min_n_fft and max_n_fft must be powers of two with 8 <= min_n_fft < max_n_fft, "
                f"got {min_n_fft} and {max_n_fft}"
            )
        if not 0 < min_hop <= max_hop <= 1:
            raise ValueError(
                f"min_hop and max_hop must satisfy 0 < min_hop <= max_hop <= 1, got {min_hop} and {max_hop}"
            )
        if not windows:
            raise ValueError("windows must name at least one window")
        self._count = resolutions
        self._octaves = (min_n_fft.bit_length() - 1, max_n_fft.bit_length() - 1)
        self._hops = (min_hop, max_hop)
        self._windows = windows
        self._shared: dict[str, Any] = {
            "sample_rate": sample_rate,
            "w_sc": w_sc,
            "w_log_mag": w_log_mag,
            "w_lin_mag": w_lin_mag,
            "n_mels": n_mels,
            "eps": eps,
            "norm": norm,
            "padding": padding,
        }
        self.draw(torch.Generator().manual_seed(seed))

    def draw(self, generator: torch.Generator) -> None:
        """Replace the resolutions by others; :attr:`min_samples` changes with them.

        Args:
            generator: on the CPU; what is drawn depends on nothing else.
        """
        self._set_resolutions(self._draw_one(generator) for _ in range(self._count))

    def _draw_one(self, generator: torch.Generator) -> AuralossStft:
        n_fft = 2 ** int(torch.randint(*self._octaves, (), generator=generator))
        shortest, longest = self._hops
        hop = shortest + (longest - shortest) * float(torch.rand((), generator=generator, dtype=torch.float64))
        halvings = int(torch.randint(3, (), generator=generator))
        window = self._windows[int(torch.randint(len(self._windows), (), generator=generator))]
        return AuralossStft(
            n_fft=n_fft,
            hop_length=max(1, int(n_fft * hop)),
            win_length=n_fft >> halvings,
            window=window,
            **self._shared,
        )
