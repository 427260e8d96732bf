"""From a text to a distance: names, parameters, sums and plug-ins."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from tonedeaf.losses import describe, make, names, registry
from tonedeaf.losses.plugins import PluginError

_EMPTY_FILTERS = pytest.mark.filterwarnings("ignore:.*mel filters hold no frequency bin")

_PLUGIN = """
from tonedeaf.losses import AudioDistance

class Mine(AudioDistance):
    def __init__(self, *, sample_rate=44100, weight=1.0, label: "Unresolvable" = "x"):
        super().__init__(sample_rate=sample_rate)
        self.weight = weight

    def distance(self, prediction, target):
        return self.weight * (prediction - target).abs().mean(-1)

class NotADistance: ...

class Explodes(AudioDistance):
    def __init__(self, *, sample_rate=44100):
        raise KeyError("boom")

    def distance(self, prediction, target): ...
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(_PLUGIN, encoding="utf-8")
    return path


@_EMPTY_FILTERS
def test_every_name_is_described():
    descriptions = list(describe())
    assert [each.name for each in descriptions] == names()
    for each in descriptions:
        assert each.source if each.available else each.reason


@_EMPTY_FILTERS
def test_at_least_thirty_distances_are_available_here():
    assert sum(each.available for each in describe()) >= 30


@_EMPTY_FILTERS
@pytest.mark.parametrize("target", ["no.such.module:X", "json:Nothing", "json:JSONDecoder"])
def test_a_broken_entry_point_is_unavailable_and_stops_nothing(monkeypatch: pytest.MonkeyPatch, target: str):
    point = EntryPoint("theirs", target, registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    *ours, theirs = describe()
    assert all(each.available for each in ours[:8])
    assert (theirs.name, theirs.available) == ("theirs", False)
    assert theirs.reason


def test_a_specification_makes_the_distance_again():
    distance = make("mss[n_ffts=512,128;average=false;log_offset=1e-3]", sample_rate=16000)
    assert distance.specification is not None
    assert distance.specification.name == "mss[n_ffts=512,128;average=false;log_offset=1e-3]"
    parameters = distance.specification.parameters
    assert parameters["n_ffts"] == (512, 128)
    assert parameters["average"] is False
    assert parameters["log_offset"] == 1e-3
    assert parameters["sample_rate"] == 16000
    module, _, name = distance.specification.target.partition(":")
    assert (module, name) == (type(distance).__module__, type(distance).__name__)


def test_a_sum_is_the_weighted_sum_of_its_terms():
    signals = torch.randn(2, 3, 4096, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    total = make("0.5*log_mss + 0.1*log_spectral_transport[n_fft=1024]")
    parts = 0.5 * make("log_mss")(*signals) + 0.1 * make("log_spectral_transport[n_fft=1024]")(*signals)
    torch.testing.assert_close(total(*signals), parts, rtol=1e-12, atol=0)
    assert total.specification is not None
    assert total.specification.name == "0.5*log_mss + 0.1*log_spectral_transport[n_fft=1024]"


def test_a_preset_yields_to_the_text_and_passes_over_what_has_no_such_parameter(plugin: Path):
    assert make("mss", preset={"padding": "reflect"}).min_samples == 1025
    assert make("mss[padding=valid]", preset={"padding": "reflect"}).min_samples == 2048
    make(f"{plugin}:Mine", preset={"padding": "reflect"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log_msss", "unknown distance 'log_msss'; did you mean log_mss"),
        ("zzzz", "unknown distance 'zzzz'; there are: .*log_mss"),
        ("mss[n_ff=3]", "unknown parameter of mss 'n_ff'; did you mean n_ffts"),
        ("mss[average=maybe]", "average of mss cannot be 'maybe'"),
        ("mss[padding=mirror]", "padding of mss must be one of valid, reflect, constant, end, got 'mirror'"),
        ("mss[n_ffts=12,x]", "n_ffts of mss cannot be '12,x'"),
        ("mss[n_ffts=1]", "n_fft must be at least 2 samples, got 1"),
        ("mss[window=hamn]", "window 'hamn' is not one"),
        ("mss[overlap=1]", "overlap must be at least 0 and below 1, got 1"),
        ("mss[power=0.5]", "power must be at least 1"),
        ("mss[log_offset=0]", "log_offset must be positive"),
        ("mss[norm=l3]", "norm of mss must be one of l1, l2, l2_squared, got 'l3'"),
        ("mel[fmin=5000]", "0 <= fmin < fmax <= 22050 Hz"),
        ("mel[fmax=50000]", "0 <= fmin < fmax <= 22050 Hz"),
        ("mel[n_mels=0]", "n_mels must be at least 1"),
        ("mfcc[n_mfcc=200]", "n_mfcc must be between 1 and n_mels = 128, got 200"),
        ("mfcc[top_db=-1]", "top_db must be positive"),
        ("mfcc[dct_norm=x]", "dct_norm must be ortho or none"),
        ("log_spectral_transport[level_weight=-1]", "level_weight must be at least 0"),
        ("mss[sample_rate=8000]", "sample_rate is not a parameter of mss in a text"),
        ("nowhere.py:X", "there is no file nowhere.py"),
        ("no.such.module:X", "there is no module 'no.such.module'"),
        ("json:JSONDecoder", "is not an AudioDistance"),
        ("json:Jsondecoder", "did you mean .*JSONDecoder"),
        ("json:", "is not module:Class or file.py:Class"),
    ],
)
def test_wrong_texts_are_refused_with_what_would_be_right(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        make(text)


def test_a_plugin_file_takes_parameters(plugin: Path):
    ones, zeros = torch.ones(1, 8), torch.zeros(1, 8)
    assert make(f"{plugin}:Mine[weight=3]")(ones, zeros).item() == 3
    assert make(f"2*{plugin}:Mine")(ones, zeros).item() == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Mime", "unknown class in .*mine.py 'Mime'; did you mean Mine"),
        ("NotADistance", "is not an AudioDistance"),
        ("Explodes", "cannot be constructed: KeyError: 'boom'"),
    ],
)
def test_a_wrong_plugin_is_named(plugin: Path, name: str, message: str):
    with pytest.raises(PluginError, match=message):
        make(f"{plugin}:{name}")


@pytest.mark.parametrize(
    ("source", "message"),
    [("1/0", "does not import: ZeroDivisionError"), ("def (", "does not import: SyntaxError")],
)
def test_a_plugin_that_does_not_import_is_named(tmp_path: Path, source: str, message: str):
    path = tmp_path / f"broken{len(source)}.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(PluginError, match=message):
        make(f"{path}:X")


def test_an_installed_entry_point_is_a_name(monkeypatch: pytest.MonkeyPatch):
    point = EntryPoint("theirs", "tonedeaf.losses.spectrogram:Spectrogram", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    assert "theirs" in names()
    assert make("theirs").specification is not None


def test_two_rows_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch):
    point = EntryPoint("mss", "somewhere:Else", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(ValueError, match="two distances are named 'mss'"):
        names()
