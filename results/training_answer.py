"""The suite's question, answered in sentences from the records: does a distance that ranks well train well?"""

from __future__ import annotations

from collections.abc import Sequence

from .figure_foretelling import association_text, shown_pairs
from .publication import Publication
from .rank_association import Association
from .ranking_and_training import PRIMARY_RANKING
from .studies import BASELINES, Study
from .training_comparison import NONE, PAPER, ArmResult
from .training_text import mean_text

SIGNIFICANT = 0.05
NEAR, FAR = 0.9, 0.5
"""Shares of what the paper's own objective reaches that are called near, and far from it."""
PITCH, HARMONICS = "raw_pitch_accuracy", "harmonic_db_level_free"


def answer_markdown(publication: Publication) -> str:
    """A list for each study: the correlation, how near each loss comes to supervision, and the harmonics; or a line.

    Returns:
        Markdown that ends with a newline.
    """
    parts = [found for study in publication.studies if (found := _answer(publication, study))]
    return "\n".join(parts) or "No comparison of losses is published yet.\n"


def _answer(publication: Publication, study: Study) -> str | None:
    arms = {arm.arm.loss: arm for arm in study.arms if PITCH in arm.metrics}
    losses = [arm for name, arm in arms.items() if name not in BASELINES]
    if not losses or PAPER not in arms:
        return None
    lines = [f"**{study.title}; {len(study.seeds)} {'seed' if len(study.seeds) == 1 else 'seeds'}**", ""]
    ranking = publication.ranking_of(study)
    for pair in shown_pairs(ranking[1], study) if ranking else []:
        if pair.primary:
            lines.append(
                f"- The pair that was named in advance: {association_text(pair.found)}. {_verdict(pair.found)}"
            )
        elif pair.ranking == PRIMARY_RANKING:
            lines.append(
                f"- Exploratory, the same pair in this study: {association_text(pair.found)}; corrected for all pairs "
                f"of a ranking's and this training's figures (Holm), {_p_text(pair.holm)}."
            )
    lines += [f"- {sentence}" for sentence in (*_pitch(arms, losses), *_harmonics(arms[PAPER], losses))]
    return "\n".join(lines) + "\n"


def _p_text(p: float | None) -> str:
    return "there is no p" if p is None else f"p = {p:.2g}"


def _verdict(found: Association) -> str:
    if found.rho is None or found.p is None or found.p >= SIGNIFICANT:
        return "Whether a distance ranks well does not say here how well it trains: no correlation is shown."
    return f"A distance that ranks well trains {'well' if found.rho > 0 else 'badly'} here."


def _pitch(arms: dict[str, ArmResult], losses: Sequence[ArmResult]) -> list[str]:
    paper = arms[PAPER].metrics[PITCH]
    without = f", with neither {mean_text(arms[NONE].metrics[PITCH])}" if NONE in arms else ""
    near = [arm for arm in losses if arm.metrics[PITCH].value >= NEAR * paper.value]
    far = [arm for arm in losses if arm.metrics[PITCH].value < FAR * paper.value]
    between = [arm for arm in losses if arm not in near and arm not in far]
    said = [f"Raw pitch accuracy with BassNet's own objective is {mean_text(paper)}{without}."]
    for group, what in (
        (near, f"at least {NEAR:.0%} of that".replace("%", " %")),
        (between, "less, but at least half of it"),
        (far, "less than half of it"),
    ):
        if group:
            said.append(f"{len(group)} of {len(losses)} losses reach {what}: {_named(group, PITCH, 3)}.")
    return said


def _harmonics(paper: ArmResult, losses: Sequence[ArmResult]) -> list[str]:
    if HARMONICS not in paper.metrics:
        return []
    known = [
        arm
        for arm in losses
        if HARMONICS in arm.metrics and len(arm.seeds) == len(paper.seeds) and comparable(arm, paper)
    ]
    if not known:
        return [
            "Harmonics are judged where the pitch is right: no loss has enough such frames to be compared with "
            "BassNet's own objective."
        ]
    best = min(known, key=lambda arm: arm.metrics[HARMONICS].value)
    ours, theirs = best.metrics[HARMONICS], paper.metrics[HARMONICS]
    change = ours.value / theirs.value - 1
    within = best.against_paper.get(HARMONICS)
    difference = f"; difference within seeds {mean_text(within)} dB".replace("-", "−") if within else ""
    return [
        f"Harmonics, level-free: of the losses `{best.arm.loss}` errs least, {mean_text(ours)} dB; BassNet's own "
        f"objective {mean_text(theirs)} dB ({f'{100 * change:+.0f}'.replace('-', '−')} %{difference})."
    ]


def comparable(arm: ArmResult, paper: ArmResult) -> bool:
    """Whether harmonics were judged on about the frames that they were with the paper's objective."""
    return arm.metrics[PITCH].value >= NEAR * paper.metrics[PITCH].value


def _named(arms: Sequence[ArmResult], metric: str, digits: int) -> str:
    return ", ".join(f"`{arm.arm.loss}` ({arm.metrics[metric].value:.{digits}f})" for arm in arms)
