"""From a study's trials to their outcomes: take, start, watch, end early, tell; beside others that do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from optuna.trial import FrozenTrial, TrialState

from core.errors import UserError
from experiments.tuning.study import OUTCOME, Outcome, Study, Task

PATIENCE = 3  # trials that fail one after the other before all is stopped: what ails them is hardly their settings


class Bench(Protocol):
    """What computes trials, several at a time."""

    @property
    def room(self) -> int:
        """How many more trials would be started at once."""

    def start(self, task: Task) -> None:
        """Begin with a trial, or go on with it where somebody else has begun."""

    def step(self) -> None:
        """Wait a moment while trials are computed."""

    def points(self, number: int) -> Iterable[tuple[int, float]]:
        """(iteration, value) of a trial so far; none where there are two aims."""

    def outcome(self, number: int) -> Outcome | None:
        """How a trial ended, None while it has not."""

    def give_up(self, number: int) -> None:
        """End a trial early; its outcome is `pruned` from then on."""


def tune(
    study: Study, bench: Bench, trials: int, watch: Callable[[list[int], list[FrozenTrial]], None] = lambda *_: None
) -> None:
    """Work on a study until so many trials are done, with whoever else does.

    watch: sees, again and again, the numbers of the trials that are at work here and all trials of the study.
    Raises UserError where the storage is lost, or PATIENCE trials in a row failed.
    """
    computed: dict[int, int] = {}  # number -> iteration of the last report
    waiting: dict[int, Task] = {}  # for a trial with the same settings
    failed = 0
    while True:
        while bench.room > 0 and (task := study.take(trials)):
            if study.twin(task):
                waiting[task.number] = task
            else:
                computed[task.number] = 0
                bench.start(task)
        for task in list(waiting.values()):
            twin = study.twin(task)
            if twin is None:  # it failed, so this one is no repetition
                computed[task.number] = 0
                bench.start(task)
            elif twin.state.is_finished():
                study.finish(task.number, _repeated(twin))
            else:
                continue
            del waiting[task.number]
        if not computed and not waiting and study.complete(trials):
            return
        bench.step()
        study.beat()
        for number in list(computed):
            computed[number] = _report(study, bench, number, computed[number])
            outcome = bench.outcome(number)
            if outcome:
                del computed[number]
                study.finish(number, outcome)
                failed = failed + 1 if outcome.kind == "failed" else 0
                if failed == PATIENCE:
                    raise UserError(
                        f"{failed} trials failed one after the other, the last one, {number}, with: "
                        f"{outcome.details.get('reason', 'no reason')}. Mend that; the same command goes on."
                    )
        watch([*computed, *waiting], study.trials())


def _report(study: Study, bench: Bench, number: int, reported: int) -> int:
    """Tell what is new of a trial, and end it if it is worth no more; returns the last iteration that was told."""
    for iteration, value in bench.points(number):
        if iteration > reported:
            reported = iteration
            if study.report(number, iteration, value):
                bench.give_up(number)
                break
    return reported


def _repeated(twin: FrozenTrial) -> Outcome:
    """What a trial comes to whose settings were tried before."""
    kind = str(twin.user_attrs[OUTCOME])
    values = tuple(twin.values) if twin.state is TrialState.COMPLETE else ()
    return Outcome(kind, values, {"repeats": twin.number, "hours": 0.0, "gpu hours": 0.0})
