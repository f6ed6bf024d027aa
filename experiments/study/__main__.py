"""A study with people: which arm's pictures look best to them.

python -m experiments.study make NAME
python -m experiments.study tally ANSWERS...
"""

from __future__ import annotations

from pathlib import Path

from core.errors import UserError
from experiments.command import Setting, run_main, wants_help
from experiments.naming import names_and_folder
from experiments.study.words import read_words, settings_text

MAKE = {
    "questions": Setting(100, "for each rater; half of them on style, where two arms take references"),
    "arms": Setting("", "which to compare, as A,C,F; the rungs with a finished run, if none are named"),
    "choices": Setting("auto", "all arms in one question, pairs of them, or auto: all up to four, else pairs"),
    "seed": Setting(0, "of everything that is drawn"),
    "webp": Setting("lossless", "how pictures are packed: lossless, or a quality from 1 to 100"),
    "contact": Setting("", "whom raters send their answers; shown to them"),
    "out": Setting("", "folder of page and key; REPORTS/NAME/study, if none is named"),
    "device": Setting("auto", "auto, cpu or cuda"),
    "runs": Setting("runs", "folder of the runs, where the weights are"),
    "reports": Setting("reports", "folder of the reports"),
}
TALLY = {
    "threshold": Setting(0.8, "share of the attention checks that a rater must pass"),
    "study": Setting("", "folder of the key; it is looked for in all reports, if none is named"),
    "reports": Setting("reports", "folder of the reports"),
}

USAGE = f"""A study with people: which arm's pictures look best to them?

usage: python -m experiments.study make NAME [key=value ...]
       python -m experiments.study tally ANSWERS... [key=value ...]

make writes a page of blind choices between the arms of the report NAME, one file that works without a network, and the
key that says which arm made which picture. Raters open the page, choose, and send back the file of answers that it
saves. tally reads these files, or folders of them, leaves out who did not look, and adds the shares of votes to the
report. Settings may be written key=value or --key value.

Settings of make (key=default):
{settings_text(MAKE)}

Settings of tally (key=default):
{settings_text(TALLY)}"""


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(USAGE)
        return 0
    action, *words = arguments or [""]
    if action == "make":
        return _make(words)
    if action == "tally":
        return _tally(words)
    raise UserError(f"{action or 'nothing asked'}: say make NAME or tally ANSWERS... (--help tells more)")


def _make(words: list[str]) -> int:
    names, settings = read_words(words, MAKE)
    names, reports = names_and_folder([*names, f"reports={settings['reports']}"], "reports")
    if len(names) != 1:
        raise UserError(
            f"{' '.join(names) or 'no name'}: name one report, as in: python -m experiments.study make quick"
        )
    if settings["questions"] < 1 or settings["seed"] < 0:
        raise UserError(f"questions={settings['questions']} seed={settings['seed']}: at least 1, and at least 0")
    from experiments.report import existing

    if names[0] not in existing(reports):
        known = ", ".join(existing(reports)) or "none"
        raise UserError(
            f"{reports / names[0]}: there is no report of this name. There is {known}. "
            "python -m experiments.ladder makes one"
        )
    from experiments.study.making import make

    print(make(names[0], settings))
    return 0


def _tally(words: list[str]) -> int:
    names, settings = read_words(words, TALLY)
    if not names:
        raise UserError("name the files of answers, or a folder of them: python -m experiments.study tally answers/")
    if not 0 <= settings["threshold"] <= 1:
        raise UserError(f"threshold={settings['threshold']}: must be a share from 0 to 1")
    from experiments.study.tallying import tally

    print(tally([Path(name).expanduser() for name in names], settings))
    return 0


if __name__ == "__main__":
    run_main(main)
