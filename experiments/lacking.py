"""What is asked for of a finished run beside its result: every picture, and evaluations with further seeds."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import GUIDES, Config


@dataclass(frozen=True)
class Lacking:
    """What of it is not there. False where that is nothing; as a string it is for people."""

    pictures: tuple[str, ...] = ()  # names of files
    seeds: tuple[int, ...] = ()  # of evaluations

    def __bool__(self) -> bool:
        return bool(self.pictures or self.seeds)

    def __str__(self) -> str:
        evaluations = [f"the evaluation with seed {seed}" for seed in self.seeds]
        return ", ".join([*self.pictures, *evaluations])


def varies(config: Config) -> bool:
    """Whether translations of one image to one domain can differ; if not, an evaluation is the same with every seed."""
    return config.model.code != "label"


def passes(config: Config, evaluations: int) -> int:
    """How often a run is translated and measured anew for so many evaluations."""
    return evaluations if varies(config) else min(evaluations, 1)


def pictures_of(config: Config) -> tuple[str, ...]:
    """The names of the files that `experiments.pictures` describes and a finished run of this configuration has."""
    references = ("reference.png",) if "reference" in GUIDES[config.model.code] else ()
    return ("latent.png", *references, *(("interpolation.png",) if varies(config) else ()))
