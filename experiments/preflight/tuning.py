"""What tuning takes before the runs of a ladder: an upper bound, since trials are ended early and some are repeated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.data.images import DataSet
from core.data.parts import part_of
from experiments.preflight import forecast
from experiments.preflight.ahead import Trials
from experiments.preflight.forecast import shown_seconds
from experiments.preflight.rehearsal import Rehearsal
from experiments.records import KEEP_CHECKPOINTS
from experiments.reporting.labels import plural
from experiments.tracking.address import without_password


@dataclass(frozen=True)
class TuningOutlook:
    """Of the trials of all arms, one arm after the other."""

    trials: Sequence[Trials]
    lengths: Mapping[str, float]  # seconds of one run of each arm that has trials left
    places: int  # runs at a time; 0: where another engine has places of its own
    disk: int  # bytes that the runs take

    @property
    def seconds(self) -> float:
        """Of all that is left; where the places are not known, of computing."""
        return sum(
            self.lengths[trials.session.label] * math.ceil(trials.runs / (self.places or 1))
            for trials in self.trials
            if trials.session.label in self.lengths
        )

    @property
    def bounded(self) -> bool:
        """Whether it can take no longer; else some settings that are tried take more time than others."""
        return all(trials.bounded for trials in self.trials)

    def line(self) -> str:
        """For people."""
        first, asked = self.trials[0], sum(trials.asked for trials in self.trials)
        left, runs = sum(trials.left for trials in self.trials), sum(trials.runs for trials in self.trials)
        arms = f"each of {len(self.trials)} arms" if len(self.trials) > 1 else first.session.label
        each = f" of {first.runs_each} runs" if first.runs_each > 1 else ""
        if first.seen:
            done = f"of which {max(0, asked - left)} are done already"
        else:
            server = without_password(str(first.session.settings["tune.storage"]))
            done = f"with those that {server} may have already"
        said = f"{plural(first.asked, 'trial')}{each} for {arms}, {done}"
        if not left:
            return said
        said += f": at most {plural(runs, 'run')}"
        if self.lengths:  # else no arm could be rehearsed
            said += f", each {'at most' if self.bounded else 'about'} {shown_seconds(max(self.lengths.values()))}"
        at_once = min(self.places, max(trials.runs for trials in self.trials))
        return f"{said}, {at_once} at a time" if at_once else said


def tuning_outlook(
    trials: Sequence[Trials], seen: Mapping[str, Rehearsal], data: DataSet, slots: int
) -> TuningOutlook | None:
    """What so many trials take; None without any. seen: {label: rehearsal}. data: all images.

    slots: places for runs on this machine, 0 where another engine has its own.
    """
    if not trials:
        return None
    lengths: dict[str, float] = {}
    disk = 0
    for each in (each for each in trials if each.left and each.session.label in seen):
        config, rehearsal = each.session.config, seen[each.session.label]
        part = part_of(data, config.eval.part, config.eval.tuning_share)
        work = forecast.work_of(config, part.val.sizes, part.routes)
        lengths[each.session.label] = forecast.run_seconds(work, rehearsal.costs)
        disk += each.runs * forecast.disk_bytes(config, rehearsal.sizes, KEEP_CHECKPOINTS)
    return TuningOutlook(trials, lengths, min(slots, trials[0].at_once), disk)
