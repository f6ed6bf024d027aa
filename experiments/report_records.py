"""The records of a report: copies of everything that it is made from, so that it can be rebuilt anywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.files import read_json, write_atomically, write_json
from experiments.records import Result, RunFolder


@dataclass(frozen=True)
class RunRecord:
    """A run as a report keeps it."""

    label: str
    result: Result
    curves: tuple[Mapping[str, float], ...]
    folder: Path  # with the pictures that experiments.pictures describes, as far as they were drawn
    repeats: tuple[Mapping[str, float], ...] = ()  # as experiments.repeats has them


class ReportRecords:
    """`reports/NAME/records/`: everything a report is made from.

    ladder.json              what was compared, on what, and the numbers of real images
    tuning.json              of tuned arms: the studies, and the numbers of the untuned
    LABEL-sSEED/             result.json, curves.jsonl, repeats.jsonl and pictures of one run
    """

    def __init__(self, report: Path) -> None:
        self.path = report / "records"
        self._ladder = self.path / "ladder.json"
        self._tuning = self.path / "tuning.json"

    def clear(self) -> None:
        """Forget the runs of an earlier ladder of this name."""
        self._tuning.unlink(missing_ok=True)
        for folder in self._run_folders():
            shutil.rmtree(folder)

    def keep(self, label: str, seed: int, run: RunFolder) -> None:
        """Copy a finished run's record."""
        target = self.path / f"{label}-s{seed}"
        target.mkdir(parents=True, exist_ok=True)
        RunFolder(target).write_result(run.result())
        write_atomically(target / "curves.jsonl", "".join(json.dumps(point) + "\n" for point in run.curves))
        if run.repeats.path.exists():
            shutil.copyfile(run.repeats.path, target / run.repeats.path.name)
        for picture in sorted(run.pictures.glob("*.png")):
            shutil.copyfile(picture, target / picture.name)

    def write_ladder(self, content: Mapping[str, Any]) -> None:
        """What holds for all runs."""
        write_json(self._ladder, content)

    def ladder(self) -> dict[str, Any]:
        """See `write_ladder`. Raises UserError."""
        return dict(read_json(self._ladder))

    def write_tuning(self, content: Mapping[str, Any]) -> None:
        """What tuning found; see `experiments.tuning.arms.compared`."""
        write_json(self._tuning, content)

    def tuning(self) -> dict[str, Any] | None:
        """See `write_tuning`, in the order of the ladder's arms; None where no arm was tuned. Raises UserError."""
        if not self._tuning.exists():
            return None
        content = dict(read_json(self._tuning))
        order = [arm["label"] for arm in self.ladder()["arms"]]
        for key in ("studies", "untuned", "tuned"):
            content[key] = dict(sorted(content[key].items(), key=lambda item: order.index(item[0])))
        return content

    def runs(self) -> list[RunRecord]:
        """All runs, in the order of the ladder's arms, then by seed. Raises UserError."""
        order = [arm["label"] for arm in self.ladder()["arms"]]
        records = []
        for folder in self._run_folders():
            label = folder.name.rpartition("-s")[0]
            run = RunFolder(folder)
            records.append(RunRecord(label, run.result(), tuple(run.curves), folder, tuple(run.repeats)))
        return sorted(records, key=lambda record: (order.index(record.label), record.result.seed))

    def _run_folders(self) -> list[Path]:
        return sorted(self.path.glob("*-s*/")) if self.path.exists() else []
