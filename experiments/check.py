"""The preflight of a ladder by itself: are data, weights, memory and disk enough, and how long will it take?

python -m experiments.check with quick seeds=3
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.command import help_text, run_main, wants_help
from experiments.plan import SETTINGS, Plan, read_plan

if TYPE_CHECKING:
    from core.config import Config
    from core.metrics.real import RealImages
    from experiments.prepare import Prepared

USAGE = """Look before a ladder runs: its data, the metrics' weights, memory, disk, and the time that it will take.

usage: python -m experiments.check with [SCALE] [LADDER] [key=value ...]
       python -m experiments.check with quick seeds=3
       python -m experiments.check with afhq data.root=~/animals

Takes the words that the ladder takes, and rehearses every arm as the ladder does before it trains: a few iterations, a
checkpoint and a resume, pictures, a small evaluation. It keeps nothing but caches, which the ladder then finds: among
them the judge and what was measured. The exit status is 0 where all fits, 1 where something does not."""


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(help_text(USAGE, SETTINGS, rungs_allowed=False))
        return 0
    plan = read_plan(arguments)
    problems = _unwritable(plan)
    if problems:
        return _verdict(problems)

    from core.runtime import choose_device
    from experiments.preflight.ahead import look_ahead
    from experiments.preflight.foresight import foresee
    from experiments.prepare import load_real_images, prepare

    device, cache = choose_device(plan.recipe.device), plan.runs / "cache"
    prepared = prepare(plan.recipe, cache)
    config = prepared.resolve(plan.recipe)
    ahead = look_ahead(plan, prepared)
    _print_data(prepared, config)
    real = load_real_images(config, prepared.data, cache, device)
    _print_metrics(real)
    outlook = foresee(plan, prepared, ahead, real, device)
    print(f"\n{outlook.text()}")
    return _verdict(outlook.problems)


def _print_data(prepared: Prepared, config: Config) -> None:
    data = prepared.data
    print(f"data      {config.data.root or 'critters'}, {config.model.resolution} px")
    for domain, train, val in zip(data.domains, data.train.sizes, data.val.sizes, strict=True):
        print(f"            {domain}: {train:,} training and {val:,} validation images")
    for note in prepared.notes:
        print(f"            {note}")


def _print_metrics(real: RealImages) -> None:
    suite, report = real.suite, real.judge.report
    by = "with the published weights" if suite.kind == "paper" else "by the judge, without published weights"
    print(f"metrics   {suite.frechet}, {suite.kernel}, {suite.diversity}: {by} ({suite.protocol})")
    print(f"judge     right for {100 * report['accuracy']:.1f} % of {report['images']:,} held-out real images")


def _unwritable(plan: Plan) -> list[str]:
    """Folders that could not be written; nothing is created."""
    from experiments.preflight.room import existing

    return [
        f"{folder}: nothing can be written there. Allow it, or choose another folder with {setting}=FOLDER."
        for setting, folder in (("runs", plan.runs), ("reports", plan.report))
        if not os.access(existing(folder), os.W_OK | os.X_OK)
    ]


def _verdict(problems: Sequence[str]) -> int:
    if not problems:
        print("\nEverything fits.")
        return 0
    print("\nThis does not fit:\n" + "\n".join(f"  - {problem}" for problem in problems))
    return 1


if __name__ == "__main__":
    run_main(main)
