"""From the words of a command line to the runs of a ladder: what `ladder` does and `check` foresees."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.designs import DESIGNS, Design, build_design, restricted
from ablations.ladders import DEFAULT
from ablations.rung import Arm, varied
from ablations.search import dimensions, read_space
from core.config import Config, ConfigError, changed
from experiments.command import EVALUATIONS, TRACKING, Command, Setting, parse, refuse_varied
from experiments.engines import choice
from experiments.tuning import session as tuning

if TYPE_CHECKING:
    from experiments.prepare import Prepared
    from experiments.records import RunFolder

SETTINGS = {
    "name": Setting("", "of the report; that of the scale, with the ladder and the design where these are others"),
    "design": Setting("", f"which arms: {', '.join(DESIGNS)}; the scale's if not given"),
    "seeds": Setting(0, "training runs of each rung; 0: the scale's number"),
    "rungs": Setting("", "letters of the rungs of a plain ladder to train, e.g. AF; all if not given"),
    "evaluations": EVALUATIONS,
    "tuned": Setting(False, "first tune every arm alike, then train the best settings of each beside the untuned"),
    **tuning.SETTINGS,
    **choice.SETTINGS,
    "preflight": Setting(
        True, "first rehearse every arm; false: do not, where arms that cannot fit or diverge at once are wanted"
    ),
    "runs": Setting("runs", "folder of the runs"),
    "reports": Setting("reports", "folder of the reports"),
    "tracking": TRACKING,
}


@dataclass(frozen=True)
class Plan:
    """A ladder as it was asked for, before any image is looked at."""

    command: Command
    name: str  # of the report
    recipe: Config
    design: Design

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What is trained: rungs first, in the ladder's order."""
        return self.design.arms

    @property
    def seeds(self) -> range:
        """Of each arm's runs."""
        first = int(self.command.updates.get("seed", 0))
        return range(first, first + (self.command.settings["seeds"] or self.command.preset.seeds))

    @property
    def runs(self) -> Path:
        """The folder of the runs."""
        return Path(self.command.settings["runs"])

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return Path(self.command.settings["reports"]) / self.name


@dataclass(frozen=True)
class PlannedRun:
    """One cell of the ladder: an arm at a seed."""

    arm: Arm
    config: Config
    folder: RunFolder

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.arm.label} seed {self.config.seed}"


def read_plan(arguments: list[str]) -> Plan:
    """Parse `with ...`. Raises ConfigError with everything that is wrong."""
    command = parse(arguments, SETTINGS, rungs_allowed=False)
    refuse_varied(command.ladder, command.updates)
    _refuse_wrong(command)
    if command.settings["tuned"]:  # a report is measured on what nothing was tuned on
        command = dataclasses.replace(command, updates={**command.updates, "eval.part": "rest"})
    recipe = changed(Config(), command.recipe)
    letters, name = _letters(command), _design(command)
    design = build_design(name, command.ladder, recipe)
    design = restricted(design, letters) if letters else design
    if command.settings["tuned"]:
        _refuse_untunable(command, design)
    return Plan(command, _name(command, name), recipe, design)


def planned_runs(plan: Plan, prepared: Prepared) -> list[PlannedRun]:
    """Every arm at every seed, seed by seed, so that the first whole ladder is there early.

    Within a seed the last rung comes first: it takes the longest, and at the end no core waits for it.
    """
    return _planned(plan, prepared, plan.command.settings["evaluations"])


def untuned_runs(plan: Plan, prepared: Prepared) -> list[PlannedRun]:
    """The same, beside tuned ones: a report shows their results, and neither pictures nor further evaluations."""
    return _planned(plan, prepared, asked=0)


def distinct(planned: Iterable[PlannedRun]) -> list[PlannedRun]:
    """Those that two arms share, as the tuned and the untuned one may, once."""
    first: dict[Path, PlannedRun] = {}
    for run in planned:
        first.setdefault(run.folder.path, run)
    return [*first.values()]


def _planned(plan: Plan, prepared: Prepared, asked: int) -> list[PlannedRun]:
    from experiments.records import RunFolder

    planned = []
    for seed in plan.seeds:
        for arm in reversed(plan.arms):
            config = changed(prepared.resolve(arm.config), {"seed": seed})
            planned.append(PlannedRun(arm, config, RunFolder.of(plan.runs, config, asked)))
    return planned


def _refuse_wrong(command: Command) -> None:
    """Raise ConfigError where the command's own settings have values that it cannot use."""
    seeds = command.settings["seeds"]
    problems = [] if seeds >= 0 else [f"seeds={seeds}: must be at least 0"]
    problems += choice.problems_of(command.settings)
    given = [key for key in tuning.SETTINGS if command.settings[key] != tuning.SETTINGS[key].default]
    if command.settings["tuned"]:
        problems += tuning.out_of_range(command.settings)
        if command.updates.get("eval.part", "rest") != "rest":
            problems.append("eval.part: a tuned ladder is measured on what nothing was tuned on; leave it out")
    elif given:
        problems.append(f"{given[0]}: this is of tuning; add the word `tuned`, or leave it out")
    if problems:
        raise ConfigError(problems)


def _refuse_untunable(command: Command, design: Design) -> None:
    """Raise ConfigError where the space of tuning does not fit an arm."""
    space = read_space(command.settings["space"], command.settings["space."])
    problems: dict[str, None] = {}
    for arm in design.arms:
        try:
            dimensions(space, arm.config, varied(command.ladder))
        except ConfigError as error:
            problems |= dict.fromkeys(f"{arm.label}: {problem}" for problem in error.problems)
    if problems:
        raise ConfigError([*problems])


def _letters(command: Command) -> tuple[str, ...]:
    letters = tuple(str(command.settings["rungs"]).upper().replace(",", ""))
    known = command.ladder.letters
    unknown = [letter for letter in letters if letter not in known]
    if unknown:
        raise ConfigError([f"rungs={command.settings['rungs']}: the rungs are {''.join(known)}"])
    return letters


def _design(command: Command) -> str:
    asked = str(command.settings["design"])
    if command.settings["rungs"] and asked not in ("", "ladder"):
        raise ConfigError([f"rungs={command.settings['rungs']}: only design=ladder can be of some rungs alone"])
    return asked or ("ladder" if command.settings["rungs"] else command.preset.design)


def _name(command: Command, design: str) -> str:
    parts = [
        "" if command.ladder is DEFAULT else command.ladder.name,
        command.preset.name,
        "" if design == command.preset.design or command.settings["rungs"] else design,
        "tuned" if command.settings["tuned"] else "",
    ]
    name = str(command.settings["name"]) or "-".join(filter(None, parts))
    if name in (".", "..") or any(part in name for part in "/\\\0"):
        raise ConfigError([f"name={name}: a name is one folder, without slashes"])
    return name
