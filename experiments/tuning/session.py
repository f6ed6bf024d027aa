"""One arm's study from beginning to end: what was asked for, checked; trials by an engine; and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.search import Dimension
from core.config import Config, ConfigError, changed, digest, iterations
from experiments.command import Setting
from experiments.tuning.objective import Aim, read_aims

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

    from experiments.tuning.study import Study

FIRST_SEED = 1000  # of tuning: far from those of a report, which begin at 0

SETTINGS = {
    "trials": Setting(30, "settings to try, the untuned ones among them"),
    "space": Setting("default", "what is tuned: default, rates, or empty; docs/tuning.md says what that is"),
    "space.": Setting({}, "a setting to tune: LOW:HIGH, LOW:HIGH:log, A,B,C, or off to leave it out"),
    "tune.objective": Setting("frechet", "frechet, kernel, diversity or recognised, /reference behind it; or two"),
    "tune.seeds": Setting(1, "runs of each trial, whose mean counts"),
    "tune.sampler": Setting("tpe", "who suggests: tpe, random, grid, cmaes or gp"),
    "tune.levels": Setting(3, "values of each number, for tune.sampler=grid"),
    "tune.pruner": Setting("auto", "who ends trials early: median, hyperband or none; auto: median for one objective"),
    "tune.at_once": Setting(4, "trials at a time at most: each learns from those before it"),
    "tune.looks": Setting(8, "evaluations in the course of a trial, by which it may be ended early"),
    "tune.seed": Setting(0, "of the suggestions"),
    "tune.storage": Setting("", "sqlite:PATH or postgresql://...; a journal file in runs/studies if not given"),
}
LEAST = {"trials": 1, "tune.seeds": 1, "tune.levels": 2, "tune.at_once": 1, "tune.looks": 1, "tune.seed": 0}


@dataclass(frozen=True)
class Session:
    """A study of one arm, with everything found that decides what its numbers mean."""

    name: str
    label: str  # of the arm
    config: Config  # untuned, on the tuning split, images and metrics found
    space: tuple[Dimension, ...]
    aims: tuple[Aim, ...]
    seeds: range
    settings: Mapping[str, Any]  # of SETTINGS and of the engine
    runs: Path
    command: str  # that goes on with it
    ladder: str = ""  # that the study is made for, if it is for one

    @classmethod
    def read(
        cls,
        name: str,
        label: str,
        config: Config,
        space: tuple[Dimension, ...],
        settings: Mapping[str, Any],
        runs: Path,
        command: str,
        ladder: str = "",
    ) -> Session:
        """Check the settings against the arm. Raises ConfigError with all that is wrong."""
        from experiments.tuning.sampling import problems_of

        aims = read_aims(settings["tune.objective"], config)
        problems = problems_of(settings, settings["trials"], space, len(aims))
        if problems:
            raise ConfigError(problems)
        first = config.seed or FIRST_SEED
        seeds = range(first, first + settings["tune.seeds"])
        session = cls(name, label, config, space, aims, seeds, settings, runs, command, ladder)
        if session.pruner == "none" or config.train.evaluate_every:
            return session
        every = max(1, iterations(config) // (settings["tune.looks"] + 1))
        return dataclasses.replace(session, config=changed(config, {"train.evaluate_every": every}))

    @property
    def pruner(self) -> str:
        """Its name."""
        asked = str(self.settings["tune.pruner"])
        return asked if asked != "auto" else "median" if len(self.aims) == 1 else "none"

    @property
    def identity(self) -> dict[str, str]:
        """What must be the same for all who work on the study, in words."""
        config = self.config
        return {
            "arm": f"{self.label}, configuration {digest(config)}",
            "images": f"{config.data.fingerprint}, {config.eval.tuning_share:g} of the validation images to tune on",
            "iterations": str(iterations(config)),
            **{f"space of {dimension.path}": str(dimension) for dimension in self.space},
            "objective": "; ".join(map(str, self.aims)),
            "seeds": ", ".join(map(str, self.seeds)),
        }

    @property
    def journal(self) -> Path:
        """Where the study is kept, if nowhere else."""
        return journal_of(self.runs, self.name)


def journal_of(runs: Path, name: str) -> Path:
    """The file of a study."""
    return runs / "studies" / f"{name}.journal"


def out_of_range(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values of SETTINGS alone, a message each."""
    return [f"{key}={settings[key]}: must be at least {least}" for key, least in LEAST.items() if settings[key] < least]


def join(session: Session) -> Study:
    """Make or open the study. Raises UserError where its storage cannot be had, or it was made with something else."""
    from experiments.tuning.storage import open_storage
    from experiments.tuning.study import Sampling, Study

    settings = session.settings
    sampling = Sampling(
        sampler=settings["tune.sampler"],
        pruner=session.pruner,
        seed=settings["tune.seed"],
        levels=settings["tune.levels"],
        first=session.config.train.evaluate_every or 1,
        last=iterations(session.config),
    )
    storage = open_storage(str(settings["tune.storage"]), session.journal)
    directions = {aim.key: aim.direction for aim in session.aims}
    return Study.open(storage, session.name, session.identity, directions, session.space, sampling)


def file_of_study(session: Session) -> Path | None:
    """Where it is kept, whether it is there or not; None: on a server."""
    from experiments.tuning.storage import file_of

    return file_of(str(session.settings["tune.storage"]), session.journal)


def existing(session: Session) -> optuna.Study | None:
    """The study as it is there, to be looked at; None where there is none yet, or a server would have to be asked.

    Raises UserError where its file is no storage, or it was made with something else.
    """
    import optuna

    from experiments.tuning.storage import open_storage
    from experiments.tuning.study import IDENTITY, refuse_other

    file = file_of_study(session)
    if file is None or not file.is_file():
        return None
    storage = open_storage(str(session.settings["tune.storage"]), session.journal).optuna
    if session.name not in optuna.get_all_study_names(storage):
        return None
    study = optuna.load_study(study_name=session.name, storage=storage)
    refuse_other(session.name, study.user_attrs.get(IDENTITY, {}), session.identity)
    return study


def work(session: Session, device_type: str, fit: int | None) -> dict[str, Any]:
    """Bring a study to its end, with whoever else works on it; returns its record, see `record_of`.

    fit: runs that fit into this machine's memory beside each other, where that is known. Raises UserError, and
    KeyboardInterrupt after all runs have saved their state.
    """
    from experiments.dispatch import Dispatch
    from experiments.engines.choice import build_engine, job_of
    from experiments.tuning.loop import tune
    from experiments.tuning.progress import TrialProgress
    from experiments.tuning.record import record_of
    from experiments.tuning.register import Register
    from experiments.tuning.runs import RunBench

    settings, trials, study = session.settings, session.settings["trials"], join(session)
    register = Register(session)
    register.note(study.trials())
    if not study.complete(trials):
        engine = build_engine(settings, trials * len(session.seeds), device_type, fit)
        dispatch = Dispatch(engine, partial(job_of, settings))
        bench = RunBench(
            dispatch,
            session.runs,
            session.config,
            session.label,
            session.seeds,
            session.aims,
            at_once=settings["tune.at_once"],
            gpus=settings["gpus_per_run"] / settings["runs_per_gpu"] if device_type == "cuda" else 0,
        )
        try:
            with TrialProgress(session.label, trials, bench) as progress:

                def watch(here: list[int], known: list[FrozenTrial]) -> None:
                    progress.show(here, known)
                    register.note(known)

                tune(study, bench, trials, watch)
        finally:
            engine.cancel()
            register.note(study.trials())
    return record_of(study.optuna, session.name, trials)
