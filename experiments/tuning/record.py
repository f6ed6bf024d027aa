"""A study as plain data: what tables, figures and reports show of it, and need no Optuna for."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from experiments.tuning.study import IDENTITY, OUTCOME

Record = dict[str, Any]
FEWEST = 4  # trials that tell anything about which settings mattered


def record_of(study: optuna.Study, name: str, first: int | None = None) -> Record:
    """{name, made with, maximise, trials, untuned, best, front, ledger, importances}.

    trials: [{number, outcome, values, settings, hours, gpu hours, points, reason, repeats}]. best: the number of the
    best trial by the first objective; front: those that no other beats in both, where there are two. first: so many
    trials count and no more, so that arms whose studies have more compare with those that have not.
    """
    trials = [_trial(trial) for trial in study.get_trials(deepcopy=False)[:first]]
    maximise = [direction.name == "MAXIMIZE" for direction in study.directions]
    done = [trial for trial in trials if trial["outcome"] == "done"]
    return {
        "name": name,
        "made with": dict(study.user_attrs.get(IDENTITY, {})),
        "maximise": maximise,
        "trials": trials,
        "untuned": trials[0]["settings"] if trials else {},
        "best": min(done, key=lambda trial: _worth(trial, maximise)[0])["number"] if done else None,
        "front": front(done, maximise) if len(maximise) > 1 else [],
        "ledger": ledger(trials),
        "importances": _importances(study, first),
    }


def ledger(trials: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How many trials came to what, and what they cost; those at work count as such."""
    counts = {
        kind: sum(trial["outcome"] == kind for trial in trials)
        for kind in ("done", "pruned", "diverged", "failed", "at work")
    }
    repeated = sum(trial["repeats"] is not None for trial in trials)
    cost = {key: round(sum(trial[key] for trial in trials), 4) for key in ("hours", "gpu hours")}
    return {"trials": len(trials), **counts, "repeated": repeated, **cost}


def front(done: Sequence[Mapping[str, Any]], maximise: Sequence[bool]) -> list[int]:
    """The numbers of the trials that no other is at least as good as in everything and better in something."""
    worth = {trial["number"]: _worth(trial, maximise) for trial in done}

    def beaten(one: Sequence[float]) -> bool:
        return any(all(a <= b for a, b in zip(other, one, strict=True)) and other != one for other in worth.values())

    return [number for number, values in worth.items() if not beaten(values)]


def _worth(trial: Mapping[str, Any], maximise: Sequence[bool]) -> list[float]:
    """Its values, smaller is better."""
    return [-value if up else value for value, up in zip(trial["values"], maximise, strict=True)]


def _trial(trial: FrozenTrial) -> Record:
    attributes = trial.user_attrs
    finished = trial.state.is_finished()
    return {
        "number": trial.number,
        "outcome": attributes.get(OUTCOME, "failed") if finished else "at work",
        "values": list(trial.values or ()) if trial.state is TrialState.COMPLETE else [],
        "settings": dict(trial.params or trial.system_attrs.get("fixed_params", {})),
        "hours": attributes.get("hours", 0.0),
        "gpu hours": attributes.get("gpu hours", 0.0),
        "points": sorted([step, value] for step, value in trial.intermediate_values.items()),
        "reason": attributes.get("reason", ""),
        "repeats": attributes.get("repeats"),
        "runs": attributes.get("runs", []),
    }


def _importances(study: optuna.Study, first: int | None) -> dict[str, float]:
    """Shares of the first objective's variation among the better trials, by PED-ANOVA; {} where nothing can be said."""
    done = [trial for trial in study.get_trials(deepcopy=False)[:first] if trial.state is TrialState.COMPLETE]
    if len(done) < FEWEST:
        return {}
    counted = optuna.create_study(directions=study.directions)
    counted.add_trials(done)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = get_param_importances(
                counted, evaluator=PedAnovaImportanceEvaluator(), target=lambda trial: trial.values[0]
            )
        except (OptunaError, ValueError, RuntimeError):
            return {}
    return {path: round(share, 4) for path, share in found.items() if math.isfinite(share)}
