"""The evaluations of one run with further seeds: what of a number is luck of the latents and references drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments.files import write_atomically


class Repeats:
    """`{"eval_seed": 1, "judge_frechet/latent/1": 12.5, ...}`, a line of JSON each: means over domain pairs.

    The evaluation with the configuration's own seed is not among them: it is the run's result.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, seed: int, values: Mapping[str, float]) -> None:
        """Keep one more; the file is whole at every moment. Raises UserError."""
        kept = {int(line["eval_seed"]): line for line in self} | {seed: {"eval_seed": seed, **values}}
        write_atomically(self.path, "".join(json.dumps(kept[number]) + "\n" for number in sorted(kept)))

    @property
    def seeds(self) -> frozenset[int]:
        """Those that were measured with."""
        return frozenset(int(line["eval_seed"]) for line in self)

    def __iter__(self) -> Iterator[dict[str, float]]:
        """By seed."""
        if self.path.exists():
            yield from map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
