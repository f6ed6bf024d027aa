"""From what is ahead to what is foreseen of it: every arm is rehearsed, and the rest is arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from core.config import Config
from core.data.images import DataSet
from core.data.parts import part_of
from core.metrics.real import RealImages
from experiments import environment
from experiments.engines.choice import build_engine
from experiments.engines.local import LocalEngine, Slot
from experiments.plan import Plan, PlannedRun
from experiments.preflight import forecast
from experiments.preflight.ahead import Ahead, Trials, configurations
from experiments.preflight.outlook import ArmOutlook, Outlook
from experiments.preflight.rehearsal import Rehearsal
from experiments.preflight.rehearsing import Rehearsed, rehearse_arms
from experiments.preflight.room import Disk, Memory, taken
from experiments.preflight.tuning import tuning_outlook
from experiments.prepare import Prepared, references_file
from experiments.records import KEEP_CHECKPOINTS, RunFolder
from experiments.tuning.session import Session


def foresee(plan: Plan, prepared: Prepared, ahead: Ahead, real: RealImages, device: torch.device) -> Outlook:
    """Rehearse what has to be, and foresee the rest. real: with the judge, so that no rehearsal has to train it."""
    settings, configs = plan.command.settings, configurations(plan, prepared, ahead)
    rehearsed = rehearse_arms(configs, settings, plan.runs, ahead.count, device)
    arms = {
        arm.label: _of_arm(arm.label, configs[arm.label], rehearsed.arms[arm.label], real.data, settings["evaluations"])
        for arm in plan.arms
        if arm.label in rehearsed.arms
    }
    once = _once(plan, prepared, real, arms.values())
    return Foresight(settings, plan.runs, ahead, rehearsed, arms, prepared.data, real.data, device).outlook(once)


def foresee_study(session: Session, prepared: Prepared, device: torch.device) -> Outlook:
    """The same of one study. Its judge is at hand."""
    ahead, label, config = Ahead(trials=[Trials(session)]), session.label, session.config
    rehearsed = rehearse_arms({label: config}, session.settings, session.runs, ahead.count, device)
    part = part_of(prepared.data, config.eval.part, config.eval.tuning_share)
    arms = {label: _of_arm(label, config, seen, part, asked=1) for label, seen in rehearsed.arms.items()}
    return Foresight(session.settings, session.runs, ahead, rehearsed, arms, prepared.data, part, device).outlook()


@dataclass(frozen=True)
class Foresight:
    """What is ahead, with the rehearsals of its arms."""

    settings: Mapping[str, Any]
    runs: Path  # their folder
    ahead: Ahead
    rehearsed: Rehearsed
    arms: Mapping[str, ArmOutlook]
    images: DataSet  # all
    measured: DataSet  # what runs are measured on
    device: torch.device

    def outlook(self, once: float = 0.0) -> Outlook:
        """All of it. once: seconds, before the first run."""
        slots, places = self._slots()
        tuning = tuning_outlook(self.ahead.trials, self.rehearsed.arms, self.images, places)
        lengths = [forecast.run_seconds(_left(run, self.measured), arm.seen.costs) for run, arm in self._known]
        lengths += [forecast.run_seconds(arm.work, arm.seen.costs) for arm in self._unknown]
        disk = sum(max(0, arm.disk - taken(run.folder.path)) for run, arm in self._known)
        disk += sum(arm.disk for arm in self._unknown) + (tuning.disk if tuning else 0)
        cuda = self.device.type == "cuda" and self._local
        return Outlook(
            arms=list(self.arms.values()),
            lengths=lengths + [_completion(folder) for folder in self._incomplete],
            planned=len(self.ahead.runs) + len(self.ahead.unknown),
            done=sum(run.folder.trained for run in self.ahead.runs),
            completed=len(self._incomplete),
            rehearsed=self.rehearsed,
            slots=slots,
            memory=self._memory if self._local else None,
            card=self._card if cuda else None,
            disk=Disk(self.runs, disk),
            once=once,
            tuning=tuning,
        )

    @property
    def _local(self) -> bool:
        return bool(self.settings["engine"] == "local")

    @cached_property
    def _known(self) -> list[tuple[PlannedRun, ArmOutlook]]:
        """Runs that are to be trained."""
        missing = (run for run in self.ahead.runs if not run.folder.trained)
        return [(run, self.arms[run.arm.label]) for run in missing if run.arm.label in self.arms]

    @cached_property
    def _unknown(self) -> list[ArmOutlook]:
        """One for each tuned run whose settings tuning has not found yet."""
        return [self.arms[run.arm.label] for run in self.ahead.unknown if run.arm.label in self.arms]

    @cached_property
    def _incomplete(self) -> list[RunFolder]:
        """Trained runs that lack something."""
        return [run.folder for run in self.ahead.runs if run.folder.trained and not run.folder.settled]

    @cached_property
    def _beside(self) -> list[Rehearsal]:
        """One for each run that is to be trained; of trials, for as many as there are at a time."""
        seen = [arm.seen for _, arm in self._known] + [arm.seen for arm in self._unknown]
        for trials in self.ahead.trials_left:
            if trials.session.label in self.arms:
                seen += [self.arms[trials.session.label].seen] * min(trials.runs, trials.at_once)
        return seen

    @cached_property
    def _memory(self) -> Memory:
        peaks = [seen.host_bytes * self.settings["gpus_per_run"] for seen in self._beside]
        peaks += [_peak(folder, "cpu") for folder in self._incomplete]
        return Memory("memory", "workers", peaks, environment.available_memory())

    @cached_property
    def _card(self) -> Memory:
        peaks = [seen.device_bytes for seen in self._beside] + [_peak(folder, "cuda") for folder in self._incomplete]
        return Memory("GPU memory", "runs_per_gpu", peaks, torch.cuda.mem_get_info(self.device)[0])

    def _slots(self) -> tuple[Sequence[Slot], int]:
        """(this machine's places for the runs, or for trials where these are all; how many are used for trials)."""
        if not self._local:
            return (), 0
        ahead, places = self.ahead, 0
        count = sum(not run.folder.settled for run in ahead.runs) + len(ahead.unknown)
        slots = self._shared_out(count, len(ahead.runs) + len(ahead.unknown))
        if ahead.trials_left:
            first = ahead.trials_left[0]
            tuning = self._shared_out(first.asked * first.runs_each)
            places = min(len(tuning), first.at_once)
            slots = slots if count else tuning[:places]
        return slots, places

    def _shared_out(self, runs: int, of: int = 0) -> Sequence[Slot]:
        engine = build_engine(self.settings, runs, self.device.type, self._memory.fit, of=of)
        return engine.slots if isinstance(engine, LocalEngine) else ()


def _of_arm(label: str, config: Config, seen: Rehearsal, data: DataSet, asked: int) -> ArmOutlook:
    work = forecast.work_of(config, data.val.sizes, data.routes, asked=asked)
    return ArmOutlook(label, seen, work, forecast.disk_bytes(config, seen.sizes, KEEP_CHECKPOINTS))


def _left(run: PlannedRun, data: DataSet) -> forecast.Work:
    saved, asked = run.folder.saved_iteration, max(1, run.folder.asked)
    return forecast.work_of(run.config, data.val.sizes, data.routes, saved, asked)


def _completion(folder: RunFolder) -> float:
    """Seconds until a finished run has all that is asked for, by what its own evaluation took."""
    return forecast.completion_seconds(folder.evaluations_left, folder.result().evaluate_seconds)


def _peak(folder: RunFolder, kind: str) -> int:
    """Bytes of a kind of memory, cpu or cuda, that a run took when it was trained; 0 where that was another one."""
    result = folder.result()
    return result.peak_memory_bytes if result.device.startswith(kind) else 0


def _once(plan: Plan, prepared: Prepared, real: RealImages, arms: Iterable[ArmOutlook]) -> float:
    """Seconds for what is measured before the first run, if it was not before."""
    config, data = prepared.resolve(plan.recipe), real.data
    costs = next((arm.seen.costs for arm in arms), None)
    if costs is None or references_file(config, real, plan.runs / "cache").exists():
        return 0.0
    return forecast.baseline_seconds(config, data.train.sizes, data.val.sizes, costs)
