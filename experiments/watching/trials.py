"""What the trials of a study are doing, by what is kept of them in the folder of runs and by their runs' folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from experiments.registry import StartedStudy, StartedTrial
from experiments.watching.outlook import Outlook
from experiments.watching.sight import AT_WORK, UNFINISHED, Sight

STATES = ("at work", "elsewhere", "done", "pruned", "diverged", "failed", "waiting")


@dataclass(frozen=True)
class TrialSight:
    """One trial."""

    number: int
    state: str  # of STATES
    reason: str = ""  # why it failed or diverged
    log: str = ""  # of its run that failed


@dataclass(frozen=True)
class StudySight:
    """A study and its runs as they were seen."""

    study: StartedStudy
    sights: Sequence[Sight]  # of its cells

    @cached_property
    def trials(self) -> list[TrialSight]:
        """All that are asked for, and what more was begun; those that nobody has begun wait."""
        begun = {trial.number: self._seen(trial) for trial in self.study.trials}
        return [
            begun.get(number, TrialSight(number, "waiting")) for number in sorted({*range(self.study.asked), *begun})
        ]

    @property
    def over(self) -> bool:
        """Whether all trials have ended."""
        return all(trial.state in ("done", "pruned", "diverged", "failed") for trial in self.trials)

    @property
    def outlook(self) -> Outlook:
        """Over what is left to do here, every run once, and what is done, which tells how long that takes."""
        open_trials = {trial.number for trial in self.study.trials if not trial.outcome}
        runs: dict[str, Sight] = {}  # a repeated trial has those of another one
        for sight in self.sights:
            ahead = sight.state in (*AT_WORK, *UNFINISHED) and sight.state != "gone"
            if sight.state == "done" or (ahead and sight.trial in open_trials):
                runs.setdefault(sight.folder, sight)
        length = max((sight.of for sight in self.sights), default=0)
        count = self.study.seeds * (len(self.trials) - len(self.study.trials))
        unbegun = [Sight(self.study.arm, 0, f"unbegun {place}", "waiting", of=length) for place in range(count)]
        return Outlook([*runs.values(), *unbegun])

    def _seen(self, trial: StartedTrial) -> TrialSight:
        sights = [sight for sight in self.sights if sight.trial == trial.number]
        if trial.outcome:
            log = next((sight.log for sight in sights if sight.state == "failed"), "")
            return TrialSight(trial.number, trial.outcome, trial.reason, log)
        lives = trial.owner.lives if trial.owner else False
        if lives or any(sight.state in AT_WORK for sight in sights):
            return TrialSight(trial.number, "at work")
        # On a machine that shares the study but not the folder of runs, or its folders were deleted.
        missing = lives is None and all(sight.state == "gone" for sight in sights)
        return TrialSight(trial.number, "elsewhere" if missing else "waiting")
