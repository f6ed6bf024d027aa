"""A study that any number of processes work on together: exactly the trials asked for, none twice, none lost.

Every trial at work has its owner's name in it, and a count that its owner raises as long as it lives. A process takes
a trial under the storage's lock: first one whose owner is dead, with the settings that it has, then a new one if there
are fewer than asked for. Should two ever hold the same trial (an owner that slept and was thought dead), both compute
the same, and what the first one tells counts.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, OptunaError
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ablations.search import Dimension
from core.errors import UserError
from experiments.claims import Owner
from experiments.tuning.objective import Direction
from experiments.tuning.sampling import build_pruner, build_sampler, distribution, grid
from experiments.tuning.storage import Storage, lost

BEAT = 20.0  # seconds between two signs of life of a trial's owner
SILENCE = 120.0  # seconds without one after which an owner on another machine is dead; on this one that is seen at once

IDENTITY = "made with"  # study attribute: what must be the same for all who work on it
OUTCOME, OWNER, COUNT = "outcome", "owner", "signs of life"  # trial attributes

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Sampling:
    """How trials are suggested and ended early; processes on one study may differ in it."""

    sampler: str = "tpe"
    pruner: str = "none"
    seed: int = 0
    levels: int = 3  # of a grid
    first: int = 1  # iterations until a trial is looked at for the first time, and between two looks
    last: int = 1  # of a trial


@dataclass(frozen=True)
class Task:
    """A trial to be computed."""

    number: int
    settings: Mapping[str, Any]  # dotted path -> value


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    kind: str  # done, pruned, diverged, failed
    values: tuple[float, ...] = ()  # one an aim, where it is done
    details: Mapping[str, Any] = field(default_factory=dict)  # kept as trial attributes


class Study:
    """One process's view of a study."""

    def __init__(self, storage: Storage, study: optuna.Study, space: Sequence[Dimension], sampling: Sampling) -> None:
        self.optuna = study
        self._storage = storage
        self._space = {dimension.path: distribution(dimension) for dimension in space}
        self._sampling = sampling
        self._points = grid(space, sampling.levels, sampling.seed) if sampling.sampler == "grid" else []
        self._mine: dict[int, Trial] = {}
        self._beaten = time.monotonic()
        self._seen: dict[int, tuple[Any, float]] = {}  # count of each trial of another machine, since when
        study.pruner = build_pruner(sampling.pruner, sampling.first, sampling.last)

    @classmethod
    def open(
        cls,
        storage: Storage,
        name: str,
        identity: Mapping[str, Any],
        directions: Mapping[str, Direction],
        space: Sequence[Dimension],
        sampling: Sampling,
    ) -> Study:
        """Make or join the study of a name. Its first trial has the untuned settings.

        identity: {what: words} that all who work on it must have alike. Raises UserError where they have not.
        directions: {name of an objective: which way is better}.
        """
        with _errors(storage), storage.locked():
            if name in optuna.get_all_study_names(storage.optuna):
                study = optuna.load_study(study_name=name, storage=storage.optuna)
            else:
                study = optuna.create_study(
                    study_name=name, storage=storage.optuna, directions=list(directions.values())
                )
            trials = study.get_trials(deepcopy=False)
            if trials or IDENTITY in study.user_attrs:
                refuse_other(name, study.user_attrs.get(IDENTITY, {}), identity)
            if not trials:  # new, or its maker died in this moment
                study.set_user_attr(IDENTITY, dict(identity))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ExperimentalWarning)
                    study.set_metric_names(list(directions))  # for whoever looks at it with Optuna's own tools
                study.enqueue_trial({dimension.path: dimension.default for dimension in space})
        return cls(storage, study, space, sampling)

    def take(self, trials: int) -> Task | None:
        """A trial to be computed by this process, None where so many are done or at work. Raises UserError."""
        with _errors(self._storage), self._storage.locked():
            known = self.optuna.get_trials(deepcopy=False)
            number = next((trial.number for trial in known if self._is_abandoned(trial)), None)
            if number is not None:
                trial = self._suggested(Trial(self.optuna, known[number]._trial_id))
            elif len(known) < trials or any(trial.state is TrialState.WAITING for trial in known):
                trial = self._new(known)
            else:
                return None
            trial.set_user_attr(OWNER, asdict(Owner.here()))
            self._mine[trial.number] = trial
            return Task(trial.number, dict(trial.params))

    def twin(self, task: Task) -> FrozenTrial | None:
        """The first trial with the same settings, if it was there before and did not fail."""
        for trial in self.trials():
            if trial.number < task.number and trial.params == task.settings and trial.state is not TrialState.FAIL:
                return trial
        return None

    def report(self, number: int, iteration: int, value: float) -> bool:
        """Keep what a trial had after an iteration; whether it is worth no more."""
        with _errors(self._storage):
            trial = self._mine[number]
            trial.report(value, iteration)
            return trial.should_prune()

    def finish(self, number: int, outcome: Outcome) -> None:
        """Write down how a trial ended. One that another process has ended meanwhile stays as it is."""
        state = {"done": TrialState.COMPLETE, "failed": TrialState.FAIL}.get(outcome.kind, TrialState.PRUNED)
        with _errors(self._storage):
            trial = self._mine.pop(number)
            if self.trials()[number].state.is_finished():
                return
            for key, value in {OUTCOME: outcome.kind, **outcome.details}.items():
                trial.set_user_attr(key, value)
            values = list(outcome.values) if state is TrialState.COMPLETE else None
            self.optuna.tell(number, values, state, skip_if_finished=True)

    def beat(self) -> None:
        """Let others see that this process lives; to be called often."""
        if time.monotonic() - self._beaten < BEAT:
            return
        self._beaten = time.monotonic()
        with _errors(self._storage):
            for trial in self._mine.values():
                trial.set_user_attr(COUNT, trial.user_attrs.get(COUNT, 0) + 1)

    def trials(self) -> list[FrozenTrial]:
        """All trials in their order, those at work too."""
        with _errors(self._storage):
            return self.optuna.get_trials(deepcopy=False)

    def complete(self, trials: int) -> bool:
        """Whether so many trials have come to an end, and all that were begun."""
        known = self.trials()
        return len(known) >= trials and all(trial.state.is_finished() for trial in known)

    def _new(self, known: Sequence[FrozenTrial]) -> Trial:
        number = len(known)
        self.optuna.sampler = build_sampler(self._sampling.sampler, self._sampling.seed + number)
        if self._points and all(trial.state is not TrialState.WAITING for trial in known):
            self.optuna.enqueue_trial(self._points[number - 1])
        return self._suggested(self.optuna.ask())

    def _suggested(self, trial: Trial) -> Trial:
        """With all its settings; those that it has already stay."""
        for path, values in self._space.items():
            trial._suggest(path, values)
        return trial

    def _is_abandoned(self, trial: FrozenTrial) -> bool:
        """Whether its owner is dead: to be asked under the lock, where every trial at work has an owner."""
        if trial.state is not TrialState.RUNNING or trial.number in self._mine:
            return False
        owner = trial.user_attrs.get(OWNER)
        lives = Owner(**owner).lives if owner else False
        if lives is not None:
            return not lives
        count, now = trial.user_attrs.get(COUNT), time.monotonic()
        if self._seen.get(trial.number, (None, now))[0] != count or trial.number not in self._seen:
            self._seen[trial.number] = (count, now)
        return now - self._seen[trial.number][1] > SILENCE


def refuse_other(name: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise UserError, with what differs, where a study was made with something else."""
    differ = [
        f"  - {what}: {there.get(what, 'nothing')}\n    now: {here.get(what, 'nothing')}"
        for what in dict.fromkeys((*there, *here))
        if there.get(what) != here.get(what)
    ]
    if differ:
        raise UserError(
            f"the study {name} was made with something else, and its trials would not compare:\n"
            + "\n".join(differ)
            + "\nGive this one another name with name=..., or repeat the command that made it."
        )


@contextlib.contextmanager
def _errors(storage: Storage) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OptunaError, OSError) as error:
        raise lost(error, storage) from error
