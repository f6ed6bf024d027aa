"""How long runs will still take, by what was seen of them and of others of the same arm. Nothing is made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.preflight.forecast import makespan
from experiments.watching.sight import AT_WORK, UNFINISHED, Sight


@dataclass(frozen=True)
class Left:
    """The time until one run, or all of them, are done."""

    seconds: float
    evaluated: bool  # whether the evaluation at the end is counted: it is once a run of the arm has shown its length


@dataclass(frozen=True)
class Outlook:
    """Over all runs of a ladder."""

    sights: Sequence[Sight]

    def of(self, sight: Sight) -> Left | None:
        """Of a run that is not done; None where there is nothing to go by."""
        evaluation = self._evaluation(sight.arm)
        measuring = sight.evaluations * (evaluation or 0.0)
        if sight.state in ("evaluating", "incomplete"):
            begun = sight.age if sight.state == "evaluating" else 0.0
            return Left(max(0.0, measuring - begun), evaluation is not None)
        rate = sight.rate or self._rate(sight.arm)
        if not rate or not sight.of:
            return None
        return Left((sight.of - sight.iteration) / rate + measuring, evaluation is not None)

    def of_all(self) -> Left | None:
        """Of the whole ladder with as many processes as there are now; None where that cannot be known."""
        runs = {sight.folder: sight for sight in self.sights}.values()  # two arms may share a run
        at_work = [sight for sight in runs if sight.state in AT_WORK]
        ahead = [self.of(sight) for sight in (*at_work, *(sight for sight in runs if sight.state in UNFINISHED))]
        known = [left for left in ahead if left]
        if not at_work or len(known) < len(ahead):
            return None
        return Left(makespan([left.seconds for left in known], len(at_work)), all(left.evaluated for left in known))

    def _rate(self, arm: str) -> float | None:
        """Iterations a second of the finished runs of an arm, or else of those that train now."""
        done = [sight for sight in self.sights if sight.arm == arm and sight.train_seconds]
        if done:
            return sum(sight.of for sight in done) / sum(sight.train_seconds or 0.0 for sight in done)
        rates = [sight.rate for sight in self.sights if sight.arm == arm and sight.rate]
        return sum(rates) / len(rates) if rates else None

    def _evaluation(self, arm: str) -> float | None:
        """Seconds, on an average over the finished runs of an arm."""
        seconds = [s.evaluate_seconds for s in self.sights if s.arm == arm and s.evaluate_seconds is not None]
        return sum(seconds) / len(seconds) if seconds else None
