"""Keeps in the folder of runs what is known of a study there: `status` and `clean` open no storage."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from experiments.claims import Owner
from experiments.registry import StartedStudy, StartedTrial
from experiments.tuning.runs import folders_of
from experiments.tuning.session import Session
from experiments.tuning.study import OUTCOME, OWNER


class Register:
    """One process's part in it. What it writes of a trial is what the storage says, so it may be of any process's."""

    def __init__(self, session: Session) -> None:
        """Raises UserError where nothing can be written."""
        settings = session.settings
        self._session = session
        self._study = StartedStudy(
            session.name, session.command, session.label, settings["trials"], len(session.seeds), session.ladder
        )
        self._written: dict[int, StartedTrial] = {}
        self._study.write(session.runs)
        self._before = self._study.kept(session.runs)

    def note(self, trials: Sequence[FrozenTrial]) -> None:
        """Write down what is new of the study's trials, read since this was made; to be called often.

        What is left of an earlier study of this name, whose storage was deleted, goes. Raises UserError.
        """
        for number in self._before - {trial.number for trial in trials}:
            self._study.drop_trial(self._session.runs, number)
        self._before = set()
        for trial in trials:
            if OWNER in trial.user_attrs and (seen := self._seen(trial)) != self._written.get(trial.number):
                self._study.write_trial(self._session.runs, seen)
                self._written[trial.number] = seen

    def _seen(self, trial: FrozenTrial) -> StartedTrial:
        """A trial that was taken: its settings are all there, and stay."""
        told, before = trial.user_attrs, self._written.get(trial.number)
        return StartedTrial(
            trial.number,
            before.keys if before else self._keys(trial),
            told.get(OUTCOME, "failed") if trial.state.is_finished() else "",
            told.get("reason", ""),
            Owner(**told[OWNER]),
        )

    def _keys(self, trial: FrozenTrial) -> dict[str, str]:
        session = self._session
        folders = folders_of(session.runs, session.config, session.seeds, trial.params)
        return {str(seed): folder.path.name for seed, folder in folders.items()}
