"""Everything that a ladder still computes: the trials of its arms, where they are tuned, and then its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ablations.search import DEFAULT
from core.config import Config
from experiments.plan import Plan, PlannedRun, distinct, planned_runs, untuned_runs
from experiments.prepare import Prepared
from experiments.tuning.session import Session, existing, file_of_study

if TYPE_CHECKING:
    import optuna

SAME_COST = {parameter.path for parameter in DEFAULT.parameters}  # where it is not 0: rates, and weights of terms


@dataclass(frozen=True)
class Trials:
    """Those of one arm's study."""

    session: Session

    @cached_property
    def study(self) -> optuna.Study | None:
        """As it was when it was first asked for; None where there is none, or a server would have to be asked."""
        return existing(self.session)

    @cached_property
    def left(self) -> int:
        """Trials that have not come to their end, as far as that can be seen."""
        known = self.study.get_trials(deepcopy=False) if self.study else []
        return max(self.asked, len(known)) - sum(trial.state.is_finished() for trial in known)

    @property
    def asked(self) -> int:
        """Trials in all."""
        return int(self.session.settings["trials"])

    @property
    def seen(self) -> bool:
        """Whether the study's storage was looked at: a server is not asked."""
        return file_of_study(self.session) is not None

    @property
    def runs_each(self) -> int:
        """Of a trial."""
        return len(self.session.seeds)

    @property
    def runs(self) -> int:
        """That are left at most: one that has begun counts as a whole."""
        return self.left * self.runs_each

    @property
    def at_once(self) -> int:
        """Runs at a time at most, where there are places enough."""
        return min(int(self.session.settings["tune.at_once"]), self.asked) * self.runs_each

    @property
    def bounded(self) -> bool:
        """Whether no trial takes longer than the untuned settings do."""
        return all(item.path in SAME_COST and item.default > 0 for item in self.session.space)


@dataclass(frozen=True)
class Ahead:
    """Runs and trials, those too that are done."""

    runs: Sequence[PlannedRun] = ()  # each once; beside tuned ones the untuned
    unknown: Sequence[PlannedRun] = ()  # the untuned stand for those whose settings tuning has not found yet
    trials: Sequence[Trials] = ()
    cells: int = 0  # of the ladder: arms at seeds, and twice as many where they are tuned

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return not self.unknown and not self.trials_left and all(run.folder.settled for run in self.runs)

    @property
    def trials_left(self) -> Sequence[Trials]:
        """Of the arms that have any left."""
        return [trials for trials in self.trials if trials.left]

    @property
    def count(self) -> int:
        """Runs that one engine is given, at most: the same before, during and after them."""
        return max([self.cells, *(trials.asked * trials.runs_each for trials in self.trials)])

    @property
    def labels(self) -> set[str]:
        """Of the arms of which something is to be trained."""
        missing = (run.arm.label for run in self.runs if not run.folder.trained)
        later = (run.arm.label for run in self.unknown)
        return {*missing, *later, *(trials.session.label for trials in self.trials_left)}


def look_ahead(plan: Plan, prepared: Prepared) -> Ahead:
    """What there is of a ladder; no study is made. Raises ConfigError where tuning is asked for in a wrong way."""
    if not plan.command.settings["tuned"]:
        planned = planned_runs(plan, prepared)
        return Ahead(planned, cells=len(planned))
    from experiments.tuning.arms import read_sessions, tuned_plan
    from experiments.tuning.record import record_of

    trials = [Trials(session) for session in read_sessions(plan, prepared)]
    untuned = untuned_runs(plan, prepared)
    studies = {}
    for each in trials:
        if each.left or each.study is None:
            return Ahead(untuned, planned_runs(plan, prepared), trials, 2 * len(untuned))
        studies[each.session.label] = record_of(each.study, each.session.name, each.asked)
    tuned = planned_runs(tuned_plan(plan, studies), prepared)
    return Ahead(distinct([*tuned, *untuned]), (), trials, 2 * len(untuned))


def configurations(plan: Plan, prepared: Prepared, ahead: Ahead) -> dict[str, Config]:
    """{label: untuned configuration} of the arms of which something is to be trained, the last rung first."""
    return {arm.label: prepared.resolve(arm.config) for arm in reversed(plan.arms) if arm.label in ahead.labels}
