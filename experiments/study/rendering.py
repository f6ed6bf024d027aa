"""How a study's result is written, for a terminal, report.md, CSV and LaTeX: votes, as in the paper's Table 4.

The paper's own votes are among other methods, not among arms of a ladder: they stand beside nothing here.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pandas as pd

from experiments.files import write_or_remove
from experiments.reporting.labels import markdown_text, plural, seconds, shortened
from experiments.reporting.latex import tabular
from experiments.reporting.tables import markdown_table
from experiments.study.result import StudyResult, Tally
from experiments.study.tallies import FEW, Share

NOTHING = "–"
OUTDATED = "The pictures of this study were made by runs that this report does not hold any more."
COLUMNS = 100  # of a terminal
WIDEST = 34  # letters of an arm's title, for a terminal


def terminal_text(study: StudyResult) -> str:
    """The result, at most 100 columns wide."""
    lines = [_wrapped(f"study {study.id}: {_people(study)}")]
    for tally in study.tallies:
        lines += ["", f"{tally.kind}: {_asked(tally)}; share of votes, {_guessing(tally)} by guessing"]
        for label, title in study.arms:
            share = tally.shares.get(label)
            if share is not None:
                lines.append(_line(f"{label:<10}{shortened(title, WIDEST)}", share, tally))
        for pair in tally.preferences if len(tally.shares) > 2 else ():
            lines.append(_line(f"{pair.first} rather than {pair.second}", pair.share, tally))
        lines.append(_wrapped(_agreement(tally), "  "))
    return "\n".join([*lines, "", _wrapped(_intervals(study))])


def section(study: StudyResult, outdated: bool) -> str:
    """A section of report.md, with its heading. outdated: the report's runs are not those of the study any more."""
    headings = ["", "arm", *(f"{tally.kind}, % of votes" for tally in study.tallies)]
    rows = [[f"**{markdown_text(label)}**", markdown_text(title), *_cells(label, study)] for label, title in study.arms]
    parts = [
        "## What people chose",
        f"{_people(study)} Each saw {_asked_of_each(study)} and took one picture. {_meaning(study)}",
        markdown_table(headings, rows, left=2),
    ]
    for tally in study.tallies:
        if len(tally.shares) > 2 and tally.preferences:
            pairs = [
                [
                    f"{markdown_text(pair.first)} rather than {markdown_text(pair.second)}",
                    _cell(pair.share),
                    f"{pair.share.shown:,}",
                    _verdict(pair.share, tally),
                ]
                for pair in tally.preferences
            ]
            parts.append(markdown_table([f"{tally.kind}, two at a time", "% of votes", "votes", ""], pairs))
    notes = [
        f"{tally.kind.capitalize()}: {_asked(tally)}, {_guessing(tally)} by guessing; {_agreement(tally)}."
        for tally in study.tallies
    ]
    notes += [_intervals(study), *([f"**{OUTDATED}**"] if outdated else [])]
    return "\n\n".join([*parts, " ".join(notes)])


def study_frame(study: StudyResult) -> pd.DataFrame:
    """One row a share: of an arm in all questions that showed it, or against another arm."""
    rows = []
    titles = dict(study.arms)
    for tally in study.tallies:
        shares = [(label, "", share) for label, share in tally.shares.items()]
        shares += [(pair.first, pair.second, pair.share) for pair in tally.preferences]
        for label, against, share in shares:
            rows.append(
                {
                    "question": tally.kind,
                    "arm": label,
                    "title": titles[label],
                    "against": against,
                    "chosen": share.chosen,
                    "shown": share.shown,
                    "share": share.interval.mean,
                    "low": share.interval.low,
                    "high": share.interval.high,
                    "by_guessing": 1 / tally.options,
                    "raters": share.interval.n,
                }
            )
    return pd.DataFrame(rows)


def study_latex(study: StudyResult) -> str:
    r"""The shares of all arms as a LaTeX tabular; needs \usepackage{booktabs}."""
    headings = ["", "", *(f"{tally.kind.capitalize()} (%)" for tally in study.tallies)]
    rows = [[label, title, *_cells(label, study)] for label, title in study.arms]
    return tabular([_people(study), _intervals(study)], [headings], [rows], "@{}ll" + "r" * len(study.tallies) + "@{}")


def _line(name: str, share: Share, tally: Tally) -> str:
    return f"  {name:<{WIDEST + 10}}  {_percent(share):>22}  {_verdict(share, tally)}"


def _wrapped(words: str, indent: str = "") -> str:
    return textwrap.fill(words, COLUMNS, initial_indent=indent, subsequent_indent=indent)


def _people(study: StudyResult) -> str:
    words = f"{plural(study.raters, 'rater')} ({study.finished} to the end), in the median "
    words += f"{seconds(study.seconds)} a question and {study.minutes:.0f} min in all"
    left = [
        (study.dropped, f"passed fewer than {100 * study.threshold:.0f} % of the attention checks"),
        (study.unchecked, "stopped before the first check"),
    ]
    out = [f"{plural(count, 'rater')} {why}" for count, why in left if count]
    return f"{words}. " + (f"Left out: {', '.join(out)}." if out else "No rater was left out.")


def _asked_of_each(study: StudyResult) -> str:
    among = f"all {len(study.arms)} arms at once" if study.at_once else "two arms at a time"
    return (
        f"{plural(study.questions, 'question')} in random order, {among} without names, {study.checks} of them checks,"
    )


def _meaning(study: StudyResult) -> str:
    words = "Quality: which picture looks most like a real one of its domain."
    if any(tally.kind == "style" for tally in study.tallies):
        return f"{words} Style: which takes the look of a reference best, among arms that take references."
    return f"{words} Style was not asked about: fewer than two of these arms take references."


def _asked(tally: Tally) -> str:
    return f"{plural(tally.answers, 'answer')} to {plural(tally.questions, 'question')}"


def _guessing(tally: Tally) -> str:
    return f"{100 / tally.options:.0f} %"


def _agreement(tally: Tally) -> str:
    if tally.agreement is None:
        return "no question was answered by two raters, so their agreement is unknown"
    found = tally.agreement
    return (
        f"agreement between raters: kappa {found.kappa:.2f} (1: all choose alike, 0: as by guessing; Fleiss' with free "
        f"marginals), {100 * found.observed:.0f} % of answers alike"
    )


def _intervals(study: StudyResult) -> str:
    if study.raters == 1:
        return "Intervals: 95 %, Wilson, of one rater's answers: they say nothing of other people."
    words = "Intervals: 95 %, bootstrap over raters, never narrower than Wilson's over answers"
    words += "." if study.at_once else "; not corrected for the number of pairs."
    return f"{words} {study.raters} raters say little of others." if study.raters < FEW else words


def _verdict(share: Share, tally: Tally) -> str:
    guessing = 1 / tally.options
    if share.interval.holds(guessing):
        return "not resolved"
    return "above guessing" if share.interval.low > guessing else "below guessing"


def _percent(share: Share) -> str:
    """`68.9 % [60.1, 75.0]`."""
    low, mean, high = (100 * value for value in (share.interval.low, share.interval.mean, share.interval.high))
    return f"{mean:.1f} % [{low:.1f}, {high:.1f}]"


def _cells(label: str, study: StudyResult) -> list[str]:
    """An arm's line of the table."""
    return [_cell(tally.shares.get(label)) for tally in study.tallies]


def _cell(share: Share | None) -> str:
    return NOTHING if share is None else _percent(share).replace(" %", "")


def write_study(study: StudyResult | None, folder: Path) -> list[str]:
    """Write study.csv and study.tex, or remove those of an earlier build; the names of what is there."""
    texts = {"study.csv": "", "study.tex": ""}
    if study is not None:
        texts["study.csv"] = study_frame(study).to_csv(index=False, lineterminator="\n")
        texts["study.tex"] = study_latex(study)
    return write_or_remove(folder, texts)
