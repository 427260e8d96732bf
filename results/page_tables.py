"""The tables of Markdown pages, by name, and how they get into a page.

A table stands between two comments that name it; the rest of the page is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from .bassnet_evaluation import EVALUATION, TRAINING
from .bassnet_text import metrics_table, paper_table, reproductions
from .boards import Board
from .descent_text import correlation_markdown, descent_markdown, descents_of_tasks_markdown
from .ladder_text import (
    absent_markdown,
    columns_markdown,
    leaderboard_markdown,
    minimum_markdown,
    summary_markdown,
    tasks_markdown,
    times_markdown,
)
from .prototype_anchors import anchors_markdown
from .publication import Publication
from .record import Record
from .studies import Study
from .style import is_landmark
from .table1_text import markdown
from .training_answer import answer_markdown
from .training_cost import training_cost_markdown
from .training_details import differences_markdown, harmonics_markdown, pairs_markdown
from .training_evidence import evidence_markdown
from .training_judges import judges_markdown
from .training_songs import songs_markdown
from .training_text import foretelling_markdown, study_markdown
from .which_loss import which_loss_markdown

_START = re.compile(r"<!-- table: ([a-z0-9-]+) -->")


def tables(publication: Publication) -> dict[str, Callable[[], str]]:
    """Name of a table to what makes it; each is made only when a page has a place for it."""
    return {
        "table1": lambda: _table1(publication),
        "leaderboard": lambda: _leaderboard(publication),
        "leaderboard-short": lambda: _leaderboard_short(publication),
        "not-on-the-leaderboard": lambda: _absent(publication),
        "ladder": lambda: _ladder(publication),
        "times-of-mss": lambda: times_markdown(publication.boards, "tonedeaf", "mss"),
        "prototype": lambda: anchors_markdown(publication.boards[0].records) if publication.boards else NOTHING,
        "other-ladders": lambda: _other_ladders(publication),
        "tonedeaf": lambda: _columns(publication, "tonedeaf"),
        "boards": lambda: _boards(publication),
        "minimum": lambda: _minimum(publication),
        "descent": lambda: _descent(publication),
        "correlation": lambda: _correlation(publication),
        "ablation": lambda: _ablation(publication),
        "sensitivity": lambda: _sensitivity(publication),
        "training": lambda: "\n".join(map(study_markdown, publication.studies)) or NOTHING,
        "training-differences": lambda: (
            "\n".join(filter(None, map(differences_markdown, publication.studies))) or NOTHING
        ),
        "training-songs": lambda: "\n".join(filter(None, map(songs_markdown, publication.studies))) or NOTHING,
        "training-harmonics": lambda: "\n".join(filter(None, map(harmonics_markdown, publication.studies))) or NOTHING,
        "training-pairs": lambda: pairs_markdown(publication),
        "training-evidence": lambda: _of_studies(publication, evidence_markdown),
        "training-judges": lambda: _of_studies(publication, judges_markdown),
        "answer": lambda: answer_markdown(publication),
        "foretelling": lambda: foretelling_markdown(publication),
        "training-cost": lambda: training_cost_markdown(publication.collection.records) or NOTHING,
        "bassnet": lambda: _bassnet(publication),
        "which-loss": lambda: which_loss_markdown(publication),
        "set-aside": lambda: _set_aside(publication),
    }


NOTHING = "No record of this is published yet.\n"

NEW_PAGE = "# Published results\n\n[The report](report.html) has everything on one page.\n" + "".join(
    f"\n## {heading}\n\n<!-- table: {name} -->\n<!-- end of table: {name} -->\n"
    for heading, name in (
        ("Which loss should I use?", "which-loss"),
        ("Leaderboard", "leaderboard"),
        ("Not on the leaderboard", "not-on-the-leaderboard"),
        ("Worst column of pitch and of level, by task", "ladder"),
        ("The ladder at other rates and durations, of other trials", "other-ladders"),
        ("Other seeds, sample rates, durations and phases", "boards"),
        ("Table 1 of Turian & Henry 2020", "table1"),
        ("Where the global minimum is", "minimum"),
        ("Descent", "descent"),
        ("Does sign accuracy foretell descent?", "correlation"),
        ("Training", "training"),
        ("Differences to BassNet's own objective, within seeds", "training-differences"),
        ("Losses against each other, over songs and seeds", "training-songs"),
        ("Errors of each harmonic", "training-harmonics"),
        ("Does a loss that ranks well train well?", "answer"),
        ("Does sign accuracy foretell training?", "foretelling"),
        ("What the losses say of pitch before they teach it", "training-evidence"),
        ("What every loss says of the trained models", "training-judges"),
        ("Every figure of a ranking and of a training", "training-pairs"),
        ("What training with a loss costs", "training-cost"),
        ("BassNet beside its paper", "bassnet"),
        ("Set aside", "set-aside"),
    )
)
"""What a folder's page is made from where there is none."""


def insert(text: str, contents: Mapping[str, Callable[[], str]]) -> str:
    """The text with each table between its two comments.

    Args:
        text: of a page.
        contents: name of a table to what makes it; tables that the page has no place for are not made.

    Raises:
        ValueError: if the page has a place for a table that is not there, or a place without an end.
    """
    for name in _START.findall(text):
        start, end = f"<!-- table: {name} -->", f"<!-- end of table: {name} -->"
        if name not in contents:
            raise ValueError(f"there is no table {name!r}; there are {', '.join(sorted(contents))}")
        between = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        if not between.search(text):
            raise ValueError(f"the place of the table {name} has no end: put {end} after {start}")
        content = contents[name]()
        text = between.sub(lambda _found, new=f"{start}\n\n{content}\n{end}": new, text)
    return text


def in_order(records: Sequence[Record], distances: Sequence[str]) -> list[Record]:
    """Records in the order they have by task, and within a task in the order of the distances."""
    tasks = list(dict.fromkeys(record.task.name for record in records))
    first = {name: place for place, name in enumerate(distances)}
    return sorted(
        records,
        key=lambda one: (tasks.index(one.task.name), first.get(one.distance.name, len(first)), one.distance.name),
    )


def _table1(publication: Publication) -> str:
    return NOTHING if publication.table1 is None else markdown(publication.table1)


def _leaderboard(publication: Publication) -> str:
    if not publication.boards:
        return NOTHING
    settings = f"\n{publication.boards[0].title}; {len(publication.boards[0].tasks)} tasks.\n"
    return leaderboard_markdown(publication.standings[0]) + settings


FIRST = 8
"""Places of the short leaderboard."""


def _leaderboard_short(publication: Publication) -> str:
    """The first, and those that everybody knows."""
    if not publication.boards:
        return NOTHING
    board, standings = publication.boards[0], publication.standings[0]
    complete = [one.distance for one in standings if one.complete]
    shown = [name for place, name in enumerate(complete) if place < FIRST or is_landmark(name)]
    of_all = f"\n{len(shown)} of {len(complete)} distances: the first {FIRST}, and those of Table 1 and of this suite. "
    return leaderboard_markdown(standings, shown) + of_all + f"{board.title}; {len(board.tasks)} tasks.\n"


def _ladder(publication: Publication) -> str:
    if not publication.boards:
        return NOTHING
    best_first = [standing.distance for standing in publication.standings[0]]
    return tasks_markdown(in_order(publication.boards[0].records, best_first))


def _other_ladders(publication: Publication) -> str:
    """The ladder of every other board that has all of the main one's tasks: other rates, durations and seeds."""
    rows = zip(publication.boards, publication.standings, strict=True)
    whole = [
        (board, standings)
        for board, standings in list(rows)[1:]
        if set(board.tasks) >= set(publication.boards[0].tasks) and not _is_of_a_suite(board, publication)
    ]
    return (
        "\n".join(
            f"**{board.title}**\n\n{tasks_markdown(in_order(board.records, [one.distance for one in standings]))}"
            for board, standings in whole
        )
        or NOTHING
    )


def _is_of_a_suite(board: Board, publication: Publication) -> bool:
    """Whether a board has a table of its own: an ablation's, or that of the sensitivity to settings."""
    return board in publication.ablations or board is publication.sensitivity


def _absent(publication: Publication) -> str:
    if not publication.boards:
        return NOTHING
    conventions = publication.conventions
    return absent_markdown(
        publication.boards[0].records, publication.standings[0], conventions.not_here, conventions.sources
    )


def _columns(publication: Publication, distance: str) -> str:
    own = publication.boards[0].of_distance(distance) if publication.boards else []
    return columns_markdown(own, distance) if own else NOTHING


def _boards(publication: Publication) -> str:
    """The leaderboards beside the main one and those of suites: other seeds, rates, durations and phases."""
    parts = [
        f"**{board.title}**; {', '.join(board.tasks)}\n\n{leaderboard_markdown(standings)}"
        for board, standings in list(zip(publication.boards, publication.standings, strict=True))[1:]
        if not _is_of_a_suite(board, publication)
    ]
    return "\n".join(parts) or NOTHING


def _minimum(publication: Publication) -> str:
    found = [] if publication.minima is None else [publication.minima, *publication.other_minima]
    return "\n".join(f"{board.title}\n\n{minimum_markdown(board.records)}" for board in found) or NOTHING


def _descent(publication: Publication) -> str:
    board = publication.descents
    if board is None:
        return NOTHING
    parts = [
        f"{f'**{task}** ({board.title})' if len(board.tasks) > 1 else board.title}\n\n"
        + descent_markdown(
            [record for record in board.records if record.task.name == task],
            publication.signs_beside_descents(task),
        )
        for task in board.tasks
    ]
    parts += [f"{other.title}\n\n{descents_of_tasks_markdown(other.records)}" for other in publication.other_descents]
    return "\n".join(parts)


def _correlation(publication: Publication) -> str:
    parts = [
        f"**{task}**, {count} distances\n\n{correlation_markdown(found)}"
        for task, (count, found) in publication.correlations.items()
    ]
    return "\n".join(parts) or NOTHING


def _ablation(publication: Publication) -> str:
    order = publication.conventions.ablation
    parts = [f"**{one.title}**\n\n{tasks_markdown(in_order(one.records, order))}" for one in publication.ablations]
    return "\n".join(parts) or NOTHING


def _sensitivity(publication: Publication) -> str:
    board = publication.sensitivity
    if board is None:
        return NOTHING
    standings = publication.standings[publication.boards.index(board)]
    return f"**{board.title}**\n\n{summary_markdown(standings, publication.conventions.sensitivity)}"


def _of_studies(publication: Publication, table: Callable[[Study, Sequence[Record]], str]) -> str:
    """A table of each study that has one, from all records."""
    parts = (table(study, publication.collection.records) for study in publication.studies)
    return "\n".join(filter(None, parts)) or NOTHING


def _bassnet(publication: Publication) -> str:
    """BassNet's own objective beside the paper's tables, and how its decoded tracks sound."""
    records = reproductions(publication.collection.of_kind(EVALUATION))
    trainings = publication.collection.of_kind(TRAINING)
    made = (table(records, trainings).markdown() for table in (paper_table, metrics_table))
    return "\n".join(made) if records else NOTHING


def _set_aside(publication: Publication) -> str:
    return "".join(f"- {one.what}: {one.reason}\n" for one in publication.set_aside) or "Nothing.\n"
