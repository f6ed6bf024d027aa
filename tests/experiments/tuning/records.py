"""Records of studies as `experiments.tuning.record` makes them, without any study."""

from __future__ import annotations

from typing import Any

from experiments.tuning.record import front, ledger

UNTUNED = {"loss.cycle": 1.0, "train.decay": "none"}


def trial(number: int, *values: float, outcome: str = "done", **changes: Any) -> dict[str, Any]:
    """One trial; the untuned one is number 0."""
    settings = UNTUNED if number == 0 else {"loss.cycle": 1.0 + number, "train.decay": "linear"}
    return {
        "number": number,
        "outcome": outcome,
        "values": list(values),
        "settings": settings,
        "hours": 0.5,
        "gpu hours": 0.25,
        "points": [],
        "reason": "",
        "repeats": None,
        "runs": [],
        **changes,
    }


def study(*trials: dict[str, Any], name: str = "smoke-F", maximise: tuple[bool, ...] = (False,)) -> dict[str, Any]:
    """A study's record; the first objective decides which trial is best."""
    done = [one for one in trials if one["outcome"] == "done"]
    chosen = (max if maximise[0] else min)(done, key=lambda one: one["values"][0])["number"] if done else None
    aims = ["judge_frechet/latent/1 (lower is better)", "judge_diversity/latent/3 (higher is better)"]
    return {
        "name": name,
        "made with": {"objective": "; ".join(aims[: len(maximise)])},
        "maximise": list(maximise),
        "trials": list(trials),
        "untuned": UNTUNED,
        "best": chosen,
        "front": front(done, maximise) if len(maximise) > 1 else [],
        "ledger": ledger(trials),
        "importances": {"loss.cycle": 0.75, "train.decay": 0.25},
    }


MIXED = (
    trial(0, 30.0),
    trial(1, 20.0),
    trial(2, outcome="pruned", points=[[5, 60.0], [10, 50.0]]),
    trial(3, outcome="diverged", reason="DIVERGED at iteration 3"),
    trial(4, outcome="failed", reason="the disk"),
    trial(5, 20.0, repeats=1, hours=0.0, **{"gpu hours": 0.0}),
    trial(6, outcome="at work", hours=0.0, **{"gpu hours": 0.0}),
)
