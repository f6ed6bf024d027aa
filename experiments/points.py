"""Numbers over iterations: append-only lines of JSON, cut back to the checkpoint on resume."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments.files import unwritable, write_atomically


class Points:
    """`{"iteration": 20, "name": 0.5, ...}`, a line each, in the order of the iterations."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, iteration: int, values: Mapping[str, float]) -> None:
        """One more point, on the disk when this returns. Raises UserError."""
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"iteration": iteration, **values}) + "\n")
        except OSError as error:
            raise unwritable(self.path, error) from error

    def sync(self) -> None:
        """Have the points so far survive a loss of power, as a checkpoint does that follows them."""
        if self.path.exists():
            with self.path.open("ab") as file:
                os.fsync(file.fileno())

    def cut(self, iteration: int) -> None:
        """Forget points after an iteration, and a last line that was written in part."""
        if self.path.exists():
            kept = [point for point in self if point["iteration"] <= iteration]
            write_atomically(self.path, "".join(json.dumps(point) + "\n" for point in kept))

    def __iter__(self) -> Iterator[dict[str, float]]:
        """The points so far."""
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return
