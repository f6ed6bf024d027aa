"""What a finished run lacks of what is asked for, made of its trained networks.

Nothing is trained, and its result stays what it is. Every picture and every evaluation is kept as soon as it is made,
so whoever is stopped or killed in the middle goes on with what is left.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from core.config import Config, changed, iterations
from core.metrics.real import RealImages
from core.model.build import Translator
from core.runtime import choose_device, make_deterministic
from experiments.claims import Claim
from experiments.environment import compute_with
from experiments.evaluation import draw, means, measure
from experiments.lacking import varies
from experiments.networks import read_translator
from experiments.prepare import open_real_images
from experiments.records import RunFolder
from experiments.stopping import StopRequests


@dataclass
class Completion:
    """A finished run on its way to all that is asked for. Its process holds the claim."""

    config: Config
    folder: RunFolder
    runs: Path
    claim: Claim
    requests: StopRequests
    quiet: bool
    opened: RealImages | None = None  # by the process that has just trained the run

    def run(self) -> None:
        """Draw and measure what is lacking. Raises UserError, Stopped, Taken."""
        folder, lacking = self.folder, self.folder.lacking
        tqdm.write(f"the run is finished; made of its trained networks: {lacking}", file=sys.stderr)
        make_deterministic()
        if not self.opened:  # by a process that computes as the result says
            compute_with(int(folder.result().environment["threads"]))
        self._say("evaluating")
        for name in lacking.pictures:
            self.claim.verify()
            draw(self.config, self._translator, folder, self._real, [name])
        for seed in lacking.seeds:
            self._say("evaluating")
            values = self._measured(seed)
            self.claim.verify()
            folder.repeats.add(seed, values)
        self._say("done")

    def _measured(self, seed: int) -> dict[str, float]:
        """The means of an evaluation with this seed; those of the result, where the seed decides nothing."""
        if not varies(self.config):
            return means(self.folder.result().rows)
        config, title = changed(self.config, {"eval.seed": seed}), f"{self.folder.label()} seed {seed}"
        check = self.requests.check
        return means(measure(config, self._translator, self._real, title=title, quiet=self.quiet, check=check))

    @cached_property
    def _real(self) -> RealImages:
        return self.opened or open_real_images(self.config, self.runs / "cache", choose_device(self.config.device))

    @cached_property
    def _translator(self) -> Translator:
        return read_translator(self.config, self.folder.weights, self._real.device)

    def _say(self, state: str) -> None:
        last = iterations(self.config)
        self.folder.write_status(state, iteration=last, of=last)
