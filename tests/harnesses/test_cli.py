"""The command line: what it prints, what it leaves behind, and how it answers a wrong call."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tonedeaf.harnesses.cells import accuracies
from tonedeaf.harnesses.cli import run_command
from tonedeaf.results.store import RecordStore

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_loss.py"
QUICK = ["--trials", "12", "--duration", "0.1"]


def _run(*arguments: str | Path) -> int:
    return run_command([str(argument) for argument in arguments])


def _error(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that a wrong call is answered with."""
    assert _run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


def test_list_names_every_distance(capsys: pytest.CaptureFixture[str]):
    assert _run("list") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("log_mss", "mfcc", "log_spectral_transport"))
    assert _run("list", "distances", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {
        "name",
        "available",
        "reason",
        "differentiable",
        "symmetric",
        "sample_rate",
        "min_samples",
        "source",
    } == set(rows[0])


@pytest.mark.parametrize(("what", "name"), [("tasks", "sines"), ("suites", "table1-valid")])
def test_list_names_tasks_and_suites(capsys: pytest.CaptureFixture[str], what: str, name: str):
    assert _run("list", what) == 0
    assert name in capsys.readouterr().out
    assert _run("list", what, "--json") == 0
    assert name in [row["name"] for row in json.loads(capsys.readouterr().out)]


def test_check_passes_the_example_and_fails_a_broken_plugin(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert _run("check", f"{EXAMPLE}:MyLoss") == 0
    assert "FAILED" not in capsys.readouterr().out
    assert _run("check", f"{_coupled(tmp_path)}:Coupled") == 1
    assert "FAILED  independence" in capsys.readouterr().out


def test_rank_prints_a_table_and_leaves_records(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert _run("rank", "mss", f"{EXAMPLE}:MyLoss", *QUICK, "--out", tmp_path) == 0
    shown = capsys.readouterr().out
    assert "mss" in shown
    assert "MyLoss" in shown
    store = RecordStore(tmp_path)
    for record in store.read_all():
        assert list(accuracies(record)) == [
            "pitch_analytic",
            "pitch_30_cents",
            "pitch_600_cents",
            "level_analytic",
            "level_2_db",
            "level_10_db",
        ]
        trials = store.trials(record)
        assert trials.height == record.trials == 12
        for column, metric in record.metrics.items():
            assert (trials[column] > 0).sum() == round(metric["value"] * 12)
            assert (trials[column] == 0).sum() == metric["ties"]


def test_rank_json_is_the_records_and_nothing_else(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert _run("rank", "mss", "mel", *QUICK, "--out", tmp_path, "--json") == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["distance"]["name"] for record in records] == ["mss", "mel"]
    assert {record["status"] for record in records} == {"ok"}


def test_a_second_call_computes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert _run("rank", "mss", *QUICK, "--out", tmp_path) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr("tonedeaf.harnesses.cells.rank", None)
    assert _run("rank", "mss", *QUICK, "--out", tmp_path) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_suites_set_what_distances_and_task_have(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert _run("rank", "mss", "--suite", "table1", *QUICK, "--out", tmp_path, "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["distance"]["params"]["padding"] == "reflect"
    assert record["task"]["params"]["perturbed_phase"] == "new"
    assert record["task"]["params"]["duration"] == 0.1  # a flag overrides the suite


def test_a_distance_that_needs_longer_signals_gets_them_and_is_marked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    long = "spectrogram[n_fft=32768]"
    assert _run("rank", "mss", long, "--trials", "4", "--out", tmp_path) == 0
    shown = capsys.readouterr().out
    assert f"{long}*" in shown
    assert "* signals longer than 0.5 s" in shown
    error = _error(capsys, "rank", long, "--trials", "4", "--duration", "0.5", "--out", tmp_path)
    assert "needs at least 32768 samples: a duration of 0.743039 s at 44100 Hz, got 0.5 s" in error


def test_one_failing_distance_does_not_stop_the_others(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    plugin = f"{_coupled(tmp_path)}:Coupled"
    assert _run("rank", plugin, "mss", *QUICK, "--out", tmp_path / "out", "--json") == 1
    failed, ranked = json.loads(capsys.readouterr().out)
    assert (failed["status"], ranked["status"]) == ("failed", "ok")
    assert failed["reason"].startswith("independence: an item does not depend on its batch: an item gave")


def _coupled(folder: Path) -> Path:
    path = folder / "coupled.py"
    path.write_text(
        "from tonedeaf.losses import AudioDistance\n"
        "class Coupled(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        return (prediction - target).abs().mean(-1) / (1 + target.abs().amax())\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rank", "log_msss"], "unknown distance 'log_msss'; did you mean log_mss"),
        (["rank", "mss[n_ff=1]"], "unknown parameter of mss 'n_ff'; did you mean n_ffts"),
        (["rank", "--task", "sine"], "unknown task 'sine'; did you mean sines"),
        (["rank", "--task", "sines[fmn=1]"], "unknown parameter of sines 'fmn'; did you mean fmin"),
        (["rank", "--suite", "table-1"], "unknown suite 'table-1'; did you mean table1"),
        (["rank", "--trials", "0"], "trials must be at least 1, got 0"),
        (["rank", "--trials", "many"], "'many' is not a valid integer"),
        (["rank", "--duration", "0.001"], "needs at least 2048 samples"),
        (["rank", "--duration", "-1"], "duration must be positive (seconds), got -1"),
        (["rank", "--sample-rate", "8000"], "sample_rate must be at least 11314 Hz"),
        (["rank", "--memory", "lots"], "memory must be a size such as 512MiB or 2GB, got 'lots'"),
        (["rank", "--device", "tpu"], "device 'tpu' cannot be used here"),
        (["rank", "--device", "meta"], "device must be auto, cpu, cuda"),
        (["rank", "--sample-rate", "inf"], "sample_rate must be positive and finite (Hz), got inf"),
        (["rank", "mss", "--task", "sines", "--task", "sines[fmax=900]"], "one set of parameters at a time"),
        (["rank", "--trails", "5"], "No such option"),
        (["rank", "mss", "--all"], "either distances or --all"),
        (["rank", "./nowhere.py:X"], "there is no file nowhere.py"),
        (["rank", "mss", "--suite", "table1-choices", "--duration", "1"], "leave --task and --duration out"),
        (["rank", "log_spectral_transport", "--suite", "table1-choices"], "not 'log_spectral_transport'"),
        (["rnak"], "unknown command 'rnak'; did you mean rank"),
        (["list", "distance"], "'distance' is not one of"),
        (["check", "mx"], "unknown distance 'mx'"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
):
    out = ["--out", tmp_path / "out"] if arguments[0] == "rank" else []
    assert message in _error(capsys, *arguments, *out)


def test_a_folder_that_cannot_be_written_is_said_before_computing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tonedeaf.harnesses.cells.rank", None)
    (tmp_path / "file").touch()
    assert "cannot write records to the folder" in _error(capsys, "rank", "log_mss", *QUICK, "--out", tmp_path / "file")


def test_debug_shows_the_traceback(tmp_path: Path):
    with pytest.raises(ValueError, match="unknown distance"):
        _run("rank", "log_msss", "--debug", "--out", tmp_path)


def test_ctrl_c_leaves_finished_records_and_the_next_call_computes_the_rest(tmp_path: Path):
    (tmp_path / "mine.py").write_text(
        "import time\n"
        "from tonedeaf.losses import AudioDistance\n"
        "class Slow(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        if prediction.shape[-1] == 4410:\n"  # the task's signals, not those of the checks
        "            time.sleep(2)\n"
        "        return (prediction - target).abs().mean(-1)\n",
        encoding="utf-8",
    )
    code = "from tonedeaf.harnesses.cli import main; main()"
    arguments = ["rank", "spectrogram", "mine.py:Slow", "--trials", "40", "--duration", "0.1", "--out", "out"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("ranking-spectrogram-*.json")):
        assert time.monotonic() < deadline, "the first record never came"
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.strip().count("\n") == 0
    assert "finished records are kept" in error
    (record,) = RecordStore(tmp_path / "out").read_all()
    assert record.distance.name == "spectrogram"
    assert not list((tmp_path / "out").rglob("*.tmp"))
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text().replace("sleep(2)", "sleep(0)"))
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*spectrogram*.json")}
    again = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, check=False)
    assert again.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert {record.distance.name for record in RecordStore(tmp_path / "out").read_all()} == {
        "spectrogram",
        "mine.py:Slow",
    }


def test_a_damaged_record_is_computed_again_and_stops_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert _run("rank", "mss", "mel", *QUICK, "--out", tmp_path) == 0
    (damaged,) = tmp_path.glob("ranking-mss-*.json")
    whole = damaged.read_text(encoding="utf-8")
    damaged.write_text(whole[:100], encoding="utf-8")
    capsys.readouterr()
    assert _run("rank", "mss", "mel", *QUICK, "--out", tmp_path) == 0
    assert "damaged or truncated" in capsys.readouterr().err
    assert json.loads(damaged.read_text(encoding="utf-8"))["metrics"] == json.loads(whole)["metrics"]


def test_json_holds_nothing_that_a_plugin_prints(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "loud.py").write_text(
        "from tonedeaf.losses import AudioDistance\n"
        "class Loud(AudioDistance):\n"
        "    def distance(self, prediction, target):\n"
        "        print('hello')\n"
        "        return (prediction - target).abs().mean(-1)\n",
        encoding="utf-8",
    )
    assert _run("rank", f"{tmp_path}/loud.py:Loud", *QUICK, "--out", tmp_path / "out", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_memory_does_not_grow_with_the_trials(tmp_path: Path):
    """A small array that each batch leaves behind lies in what the next ones free: that cost 350 MiB in 700 trials."""
    code = (
        "from tonedeaf.harnesses.cli import run_command; from tonedeaf.results.environment import peak_memory_mib\n"
        "for trials in ('150', '700'):\n"
        "    run_command(['rank', 'spectrogram', '--suite', 'table1', '--trials', trials, '--out', 'out'])\n"
        "    print('held', peak_memory_mib())"
    )
    two = {**os.environ, "OMP_NUM_THREADS": "2"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=two, stdout=subprocess.PIPE, text=True, check=True
    )
    few, many = (float(line.split()[1]) for line in found.stdout.splitlines() if line.startswith("held "))
    assert many - few < 100
    assert many < 1024


def test_help_is_quick_to_import():
    """``--help`` must not import torch: that takes a second."""
    code = "import sys; from tonedeaf.harnesses.cli import app; app(['-h'], standalone_mode=False)"
    code += "; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
