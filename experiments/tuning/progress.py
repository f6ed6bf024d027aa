"""One line of progress for a study: trials that ended, the best so far, and what is at work here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from experiments.tuning.runs import RunBench

SHOWN = 4  # trials at work that the line names


class TrialProgress:
    """A bar over the trials of a study."""

    def __init__(self, label: str, trials: int, bench: RunBench) -> None:
        self._label, self._trials, self._bench = label, trials, bench

    def __enter__(self) -> TrialProgress:
        interval = 0.5 if sys.stderr.isatty() else 30
        self._bar: tqdm[Any] = tqdm(
            total=self._trials, unit="trial", desc=f"tuning {self._label}", mininterval=interval
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, here: Sequence[int], trials: Sequence[FrozenTrial]) -> None:
        """Update the line. here: numbers of the trials that this process computes."""
        done = sum(trial.state.is_finished() for trial in trials)
        shares = [f"trial {number} {self._bench.share(number):.0%}" for number in here[:SHOWN]]
        elsewhere = sum(trial.state is TrialState.RUNNING and trial.number not in here for trial in trials)
        more = [f"{len(here) - SHOWN} more"] if len(here) > SHOWN else []
        others = [f"{elsewhere} elsewhere"] if elsewhere else []
        self._bar.set_postfix_str(", ".join(shares + more + others), refresh=False)
        self._bar.update(done - self._bar.n)
