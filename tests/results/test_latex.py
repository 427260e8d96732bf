"""LaTeX tables: their structure, and that they compile where there is a TeX."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tonedeaf.results import Record
from tonedeaf.results.boards import boards
from tonedeaf.results.latex import escaped, leaderboard_latex, table1_latex
from tonedeaf.results.leaderboard import Cost, Standing
from tonedeaf.results.table1 import table1_from_records

MakeRecord = Callable[..., Record]
PAPER = (0.617, 0.65, 0.7, 0.5, 0.5, 0.5)


@pytest.fixture
def tables(make_record: MakeRecord) -> str:
    record = make_record(distance="spectrogram", accuracies=PAPER, task_params={"duration": 2.0, "weird": "a_b%{}"})
    table = table1_from_records([record], [])
    cell = ("sines", "pitch_analytic")
    standing = Standing("log_mss[n_ffts=2048]", {cell: 0.5}, 0, False, {cell: (0.4, 0.6)}, cost=Cost(1.0, 2.0, 3.0))
    (board,), _ = boards([record])
    return table1_latex(table) + leaderboard_latex(board, [standing])


def test_every_row_has_as_many_cells_as_columns(tables: str):
    for environment in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", tables, re.DOTALL):
        columns = len(re.match(r"\{([lr]+)\}", environment).group(1))  # type: ignore[union-attr]
        rows = [line for line in environment.splitlines() if line.endswith(r"\\")]
        assert len(rows) > 1
        for row in rows:
            wide = sum(int(width) - 1 for width in re.findall(r"\\multicolumn\{(\d)\}", row))
            assert len(re.split(r"(?<!\\)&", row)) + wide == columns, row


def test_what_agrees_is_bold_and_what_is_missing_is_a_dash(tables: str):
    assert r"\texttt{spectrogram} & paper's & \textbf{.617} & .650 & \textbf{.700} &" in tables
    assert r" & house & -- & -- & -- & -- & -- & -- \\" in tables
    assert r"1 & \texttt{log\_mss[n\_ffts=2048]} & 0.500 (0.400--0.600) & 0.500 & -- & 3.0 \\" in tables


def test_braces_and_environments_are_balanced(tables: str):
    plain = tables.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    begun, ended = (re.findall(rf"\\{word}\{{(\w+)\}}", tables) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)


def test_special_characters_are_escaped():
    assert escaped("a_b 50% {x} & #1 ~ ^ \\ ±") == (
        r"a\_b 50\% \{x\} \& \#1 \textasciitilde{} \textasciicircum{} \textbackslash{} $\pm$"
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX: apt-get install texlive-latex-recommended")
def test_the_tables_compile(tables: str, tmp_path: Path):
    document = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{tables}\end{{document}}"
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "tables.log").read_text(encoding="latin-1")
    assert (tmp_path / "tables.pdf").stat().st_size > 0
