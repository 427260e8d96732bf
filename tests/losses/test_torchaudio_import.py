"""torchaudio's pure-Python part is usable whether or not its compiled part loads."""

import subprocess
import sys
import textwrap

import numpy as np
import scipy.signal
import torch

from tonedeaf.losses.resampling import Resampler
from tonedeaf.losses.torchaudio_import import import_torchaudio


def _in_a_fresh_process(code: str) -> str:
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_transforms_and_functional_are_there():
    torchaudio = import_torchaudio()
    assert torchaudio.functional.melscale_fbanks(257, 0.0, 8000.0, 40, 16000).shape == (257, 40)
    assert torchaudio.transforms.Resample(44100, 16000)(torch.zeros(1, 441)).shape == (1, 160)


def test_a_package_that_imports_torchaudio_itself_works_afterwards():
    printed = _in_a_fresh_process(
        """
        from tonedeaf.losses.torchaudio_import import import_torchaudio
        import_torchaudio()
        import torchaudio, torchaudio.transforms
        print(torchaudio.transforms.Spectrogram.__name__)
        """
    )
    assert printed.strip() == "Spectrogram"


def test_where_the_compiled_part_cannot_load_what_needs_it_says_so():
    printed = _in_a_fresh_process(
        """
        import torch
        def cannot(path):
            raise OSError(f"Could not load this library: {path}")
        torch.ops.load_library = cannot
        from tonedeaf.losses.torchaudio_import import import_torchaudio
        torchaudio = import_torchaudio()
        print(torchaudio.transforms.MelSpectrogram.__name__)
        try:
            torchaudio.functional.forced_align(torch.zeros(1, 2, 3), torch.zeros(1, 1, dtype=torch.int32))
        except RuntimeError as error:
            print("compiled part" in str(error))
        """
    )
    assert printed.split() == ["MelSpectrogram", "True"]


def test_where_the_compiled_part_loads_nothing_is_replaced():
    printed = _in_a_fresh_process(
        """
        import sys, types
        whole = types.ModuleType("torchaudio")
        sys.modules["torchaudio"] = whole
        from tonedeaf.losses.torchaudio_import import import_torchaudio
        print(import_torchaudio() is whole, "torchaudio._extension" in sys.modules)
        """
    )
    assert printed.split() == ["True", "False"]


def test_an_error_of_another_kind_is_an_import_error():
    printed = _in_a_fresh_process(
        """
        import sys
        sys.modules["torchaudio"] = None
        from tonedeaf.losses.torchaudio_import import import_torchaudio
        try:
            import_torchaudio()
        except ImportError:
            print("ImportError")
        """
    )
    assert printed.strip() == "ImportError"


def test_the_resampler_keeps_a_tone():
    time = torch.arange(44100, dtype=torch.float64) / 44100
    resampled = Resampler(from_rate=44100, to_rate=16000)(torch.sin(2 * torch.pi * 440 * time).unsqueeze(0))[0].numpy()
    expected = np.sin(2 * np.pi * 440 * np.arange(len(resampled)) / 16000)
    # away from the ends; torchaudio's default filter is short, and ripples by some 1e-3
    np.testing.assert_allclose(resampled[100:-100], expected[100:-100], atol=2e-3)
    theirs = scipy.signal.resample_poly(np.sin(2 * np.pi * 440 * time.numpy()), 160, 441)
    np.testing.assert_allclose(resampled[100:-100], theirs[100 : len(resampled) - 100], atol=5e-3)


def test_samples_needed_is_exact():
    for from_rate, to_rate in ((44100, 16000), (16000, 22050), (48000, 16000)):
        resampler = Resampler(from_rate=from_rate, to_rate=to_rate)
        for samples in (10, 100, 32768):
            needed = resampler.samples_needed(samples)
            assert resampler(torch.zeros(1, needed)).shape[-1] >= samples
            assert resampler(torch.zeros(1, needed - 1)).shape[-1] < samples
