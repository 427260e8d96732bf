"""``tonedeaf publish``, ``compare`` and ``export``, as they are called: what they write, and what they refuse."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tonedeaf.harnesses import publish_run
from tonedeaf.harnesses.cli import run_command
from tonedeaf.results import Record, RecordStore
from tonedeaf.results.report_page import script_safe

from .conftest import DESCRIBED, copy_records, write_evaluations

MakeRecord = Callable[..., Record]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quick_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is, without loading every network to see whether it can run."""
    monkeypatch.setattr(publish_run, "catalogue", lambda _what: DESCRIBED)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, make_evaluation: MakeRecord) -> Path:
    """A little of everything that is published."""
    folder = tmp_path_factory.mktemp("published")
    copy_records(folder / "house", "table1/ranking-mss-*.json", "table1/ranking-log_mss-*.json")
    copy_records(folder / "ladder", "ladder/cost-mss-*.json", "ladder/cost-log_mss-*.json")
    copy_records(folder / "landscapes", "landscapes/map-mss-*.json", "landscapes/curve-mss-*.json")
    copy_records(folder / "descent", "descent/descent-mss-*.json")
    copy_records(folder / "bassnet", "bassnet/relative_pitch-*.json")
    write_evaluations(folder / "bassnet", make_evaluation)
    return folder


@pytest.fixture(scope="module")
def few(records: Path) -> Path:
    """Rankings alone: quick to publish."""
    return records / "house"


def publish(records: Path, out: Path, *more: str) -> int:
    return run_command(["publish", "--records", str(records), "--out", str(out), *more])


@pytest.fixture(scope="module")
def out(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published beside the records, so that links are short."""
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish_run, "catalogue", lambda _what: DESCRIBED)
        assert publish(records, folder) == 0
    return folder


def test_publishing_makes_a_page_figures_and_a_report(out: Path):
    page = (out / "README.md").read_text(encoding="utf-8")
    not_here = "- unavailable: needs weights that are not here: `vggish`\n"
    for shown in ("[The report](report.html)", "| 1 | `mss` | 0.518", "Of 42 published cells", not_here):
        assert shown in page
    assert "<!-- table: minimum -->\n\nNo record of this is published yet.\n" in page
    names = {path.stem for path in (out / "figures").glob("*.png")}
    assert names == {path.stem for path in (out / "figures").glob("*.svg")}
    assert {"table1", "cost", "curve-sines", "map-sines-346hz", "descent-sines"} <= names
    assert {"training-bassnet-A1-tiny-audio_only-marginal", "relative_pitch-A1-tiny"} <= names
    assert (out / "report.html").stat().st_size < 15_000_000


def test_a_figure_that_no_record_draws_any_more_is_named(few: Path, tmp_path: Path, capsys: Capture):
    old = tmp_path / "figures" / "training-old.png"
    old.parent.mkdir()
    old.write_bytes(b"")
    assert publish(few, tmp_path) == 0
    assert capsys.readouterr().err == f"note: {old} is of an earlier publication: no record here draws it\n"


def test_publishing_twice_gives_the_same_bytes(records: Path, out: Path, tmp_path: Path):
    again = out.parent / f"{out.name}-again"  # as far from the records: their addresses are relative
    assert publish(records, again) == 0
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (out, again)
    )
    assert first.keys() == second.keys()
    assert [str(path) for path in first if first[path] != second[path]] == []


def test_pages_are_filled_not_appended_to(few: Path, tmp_path: Path):
    page = tmp_path / "mine.md"
    page.write_text("before\n<!-- table: which-loss -->\nSTALE\n<!-- end of table: which-loss -->\nafter\n")
    assert publish(few, tmp_path / "out", "--page", str(page)) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "STALE" not in text
    assert "| you need | take |" in text
    own = (tmp_path / "out" / "README.md").read_bytes()
    assert publish(few, tmp_path / "out", "--page", str(page)) == 0
    assert page.read_text(encoding="utf-8") == text
    assert (tmp_path / "out" / "README.md").read_bytes() == own


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!-- table: nonsense -->\n<!-- end of table: nonsense -->", "there is no table 'nonsense'; there are "),
        ("<!-- table: ladder -->", "the place of the table ladder has no end"),
    ],
)
def test_a_page_that_cannot_be_filled_stops_everything(
    few: Path, tmp_path: Path, capsys: Capture, text: str, reason: str
):
    page = tmp_path / "mine.md"
    page.write_text(text)
    assert publish(few, tmp_path / "out", "--page", str(page)) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert publish(few, tmp_path / "out", "--page", str(tmp_path / "none.md")) == 2
    assert "there is no page" in capsys.readouterr().err


def test_no_records_at_all_are_refused(tmp_path: Path, capsys: Capture):
    assert publish(tmp_path, tmp_path / "out") == 2
    assert capsys.readouterr().err == f"error: there is no record below {tmp_path}\n"
    assert publish(tmp_path / "nowhere", tmp_path / "out") == 2
    assert "there is no folder of records at" in capsys.readouterr().err


def test_damage_and_two_schemas_are_set_aside_by_name(make_record: MakeRecord, tmp_path: Path, capsys: Capture):
    store = RecordStore(tmp_path / "records")
    store.write(make_record(distance="mss", status="failed"))
    (store.folder / "ranking-cut-0123456789abcdef.json").write_text('{"schema": 1, "kind"')
    (store.folder / "ranking-new-0123456789abcdef.json").write_text('{"schema": 2}')
    assert publish(store.folder, tmp_path / "out") == 1, "what could not be read must not pass unnoticed"
    notes = capsys.readouterr().err
    assert "note: set aside:" in notes
    assert "ranking-cut-0123456789abcdef.json: damaged or truncated" in notes
    assert "ranking-new-0123456789abcdef.json: schema 2 is unknown" in notes
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "ranking-cut-0123456789abcdef.json: damaged" in page
    assert "- failed: out of memory: `mss`\n" in page
    assert "ranking-new-0123456789abcdef.json" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_json_is_the_records_and_nothing_else(few: Path, tmp_path: Path, capsys: Capture):
    assert publish(few, tmp_path / "out", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["distance"]["name"]) for one in printed] == 2 * [("ranking", "log_mss")] + 2 * [
        ("ranking", "mss")
    ]


def test_what_stands_in_a_script_element_cannot_end_it():
    hostile = {"name": "</script><script>alert(1)</script><!--", "line": "\u2028"}
    text = script_safe(hostile)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == hostile


def test_comparing_says_what_became_worse_and_fails_if_asked(make_record: MakeRecord, tmp_path: Path, capsys: Capture):
    for folder, right in (("before", 90), ("after", 50)):
        metrics = {"pitch_analytic": {"value": right / 100, "low": 0.0, "high": 1.0, "n": 100, "ties": 0}}
        table = pl.DataFrame({"trial": range(100), "pitch_analytic": [1.0] * right + [-1.0] * (100 - right)})
        RecordStore(tmp_path / folder).write(make_record(distance="mss", trials=100, metrics=metrics), table)
    before, after = str(tmp_path / "before"), str(tmp_path / "after")
    assert run_command(["compare", before, after]) == 0
    printed = capsys.readouterr().out
    assert "worse" in printed
    assert "-0.400 (" in printed
    assert "1 figures: 1 worse, 0 better, 0 the same or within noise" in printed
    assert run_command(["compare", before, after, "--fail-on-regression"]) == 1
    assert run_command(["compare", after, before, "--fail-on-regression"]) == 0, "better is no regression"
    capsys.readouterr()
    assert run_command(["compare", before, after, "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)
    assert (change["judgement"], change["difference"]) == ("worse", pytest.approx(-0.4))


def test_a_revision_of_a_repository_is_as_good_as_a_folder(
    make_record: MakeRecord, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    store = RecordStore(tmp_path / "mine")
    store.write(make_record(trials=1), pl.DataFrame({"trial": [0], **{c: [1.0] for c in make_record().metrics}}))
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "mine"], [*identity, "commit", "-q", "-m", "records"]):
        subprocess.run(["git", *command], check=True, cwd=tmp_path)
    assert run_command(["compare", "HEAD:mine", "mine"]) == 0
    assert "1 pairs of records: 1 with the same key, 1 with the same outcomes" in capsys.readouterr().out
    assert run_command(["compare", "HEAD", "mine"]) == 2
    assert "revision HEAD has no folder results/published" in capsys.readouterr().err
    assert run_command(["compare", "nonsense", "mine"]) == 2
    assert "'nonsense' is neither a folder of records nor a revision" in capsys.readouterr().err
    assert run_command(["compare", "--", "--all", "mine"]) == 2


@pytest.mark.parametrize(
    ("form", "shown"), [("latex", r"\toprule"), ("markdown", "| `mss`"), ("csv", "kind,distance,")]
)
def test_export_to_standard_output(records: Path, capsys: Capture, form: str, shown: str):
    assert run_command(["export", "--format", form, "--records", str(records)]) == 0
    assert shown in capsys.readouterr().out


def test_export_to_a_file_has_every_metric(records: Path, tmp_path: Path, capsys: Capture):
    path = tmp_path / "deep" / "records.parquet"
    assert run_command(["export", "--format", "parquet", "--records", str(records), "--out", str(path)]) == 0
    table = pl.read_parquet(path)
    assert table.filter(pl.col("kind") == "ranking", pl.col("metric") == "pitch_analytic").height == 4
    csv = tmp_path / "records.csv"
    assert run_command(["export", "--format", "csv", "--records", str(records), "--out", str(csv)]) == 0
    assert pl.read_csv(csv).height == table.height
    assert run_command(["export", "--format", "parquet", "--records", str(records)]) == 2
    assert "parquet is not text: say where it goes" in capsys.readouterr().err


def test_there_is_no_table_without_rankings(make_record: MakeRecord, tmp_path: Path, capsys: Capture):
    RecordStore(tmp_path).write(make_record(kind="cost", metrics={"forward_ms": 1.0}))
    assert run_command(["export", "--format", "latex", "--records", str(tmp_path)]) == 2
    assert "latex shows rankings, and there are none" in capsys.readouterr().err
