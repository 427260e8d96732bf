r"""Tables as LaTeX: environments to be put into a paper with ``\input``; they need ``booktabs`` and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from .boards import Board
from .leaderboard import Difference, Standing
from .table1 import COLUMN_HEADINGS, Cell, Row, Table1
from .table1_text import accuracy_text, summary

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "–": "--",
    "−": "$-$",
    "·": r"$\cdot$",
    "×": r"$\times$",
}


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def table1_latex(table: Table1) -> str:
    """Table 1: each distance in the paper's mode, as published, and in the house mode; bold: it agrees."""
    steps = " & ".join(escaped(step) for _, step in COLUMN_HEADINGS.values())
    body: list[str] = []
    for row in table.rows:
        body.extend(_rows(row))
        body.append(r"\addlinespace")
    note = (
        f"{summary(table)} Bold: 0 lies in the 95 % Newcombe interval of the difference. "
        f"Paper's mode: {table.paper_settings}. House mode: {table.house_settings}. "
        f"Published: {table.source}, n = {table.published_trials}."
    )
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\caption{Sign accuracy on pure sines. " + escaped(note) + "}",
            r"\label{tab:sign-accuracy}",
            r"\begin{tabular}{llrrrrrr}",
            r"\toprule",
            r" & & \multicolumn{3}{c}{pitch} & \multicolumn{3}{c}{level} \\",
            r"\cmidrule(lr){3-5} \cmidrule(lr){6-8}",
            rf"distance & mode & {steps} \\",
            r"\midrule",
            *body[:-1],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _rows(row: Row) -> list[str]:
    def ours(cell: Cell, paper: bool) -> str:
        text = accuracy_text(cell.paper if paper else cell.house).replace("–", "--")
        agrees = cell.paper_agrees if paper else cell.house_agrees
        return rf"\textbf{{{text}}}" if agrees else text

    lines = (
        (rf"\texttt{{{escaped(row.distance)}}}", "paper's", [ours(cell, True) for cell in row.cells]),
        ("", "published", [accuracy_text(cell.published).replace("–", "--") for cell in row.cells]),
        ("", "house", [ours(cell, False) for cell in row.cells]),
    )
    return [rf"{name} & {mode} & {' & '.join(cells)} \\" for name, mode, cells in lines]


def leaderboard_latex(board: Board, standings: Sequence[Standing]) -> str:
    """The distances that have every cell, best first: worst cell, mean, lead over the next in both, cost."""
    body: list[str] = []
    for place, standing in enumerate((one for one in standings if one.complete), start=1):
        worst = None if standing.worst is None else standing.intervals.get(standing.worst)
        lead, cost = standing.lead, standing.cost
        cells = (
            str(place),
            rf"\texttt{{{escaped(standing.distance)}}}",
            _estimate(standing.minimum, worst),
            _estimate(standing.mean, standing.mean_interval),
            _difference(lead.minimum if lead else None),
            "--" if cost is None else f"{cost.forward_ms + (cost.backward_ms or 0):.1f}",
        )
        body.append(rf"{' & '.join(cells)} \\")
    caption = f"Sign accuracy over {len(board.tasks)} tasks ({board.title}), with 95 % intervals."
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(caption)}}}",
            r"\label{tab:leaderboard}",
            r"\begin{tabular}{rlrrrr}",
            r"\toprule",
            r" & distance & worst cell & mean & ahead of the next & ms a pair \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _estimate(value: float, interval: tuple[float, float] | None) -> str:
    return f"{value:.3f}" if interval is None else f"{value:.3f} ({interval[0]:.3f}--{interval[1]:.3f})"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return "--"
    return f"${difference.value:+.3f}$ (${difference.low:+.3f}$ to ${difference.high:+.3f}$)"
