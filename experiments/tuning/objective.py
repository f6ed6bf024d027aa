"""What a study makes small or large: declared numbers of the validation metrics, by the names in their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.config import GUIDES, Config, ConfigError

# By `eval.metrics`, once it is decided; core/metrics/suite.py gives the rows these names.
METRICS: Mapping[str, Mapping[str, str]] = {
    "paper": {"frechet": "fid", "kernel": "kid", "diversity": "lpips"},
    "judge": {"frechet": "judge_frechet", "kernel": "judge_mmd", "diversity": "judge_diversity"},
}
LARGER_IS_BETTER = ("diversity", "recognised")
OF_ALL_OUTPUTS = ("diversity",)  # the others are taken at one output for each source
NAMES = ("frechet", "kernel", "diversity", "recognised")

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Aim:
    """One number and which way is better."""

    name: str  # of NAMES
    guide: str
    key: str  # of the number, as `experiments.evaluation.means` has it: metric/guide/outputs

    @property
    def direction(self) -> Direction:
        """As Optuna says it."""
        return "maximize" if self.name in LARGER_IS_BETTER else "minimize"

    def __str__(self) -> str:
        return f"{self.key} ({'higher' if self.name in LARGER_IS_BETTER else 'lower'} is better)"


def read_aims(text: Any, config: Config) -> tuple[Aim, ...]:
    """One aim or two, e.g. `frechet`, `frechet/reference` or `frechet,diversity`. Raises ConfigError.

    config: what is tuned, with its metrics decided.
    """
    words = [str(word).strip() for word in text] if isinstance(text, list) else str(text).split(",")
    problems = (
        [f"tune.objective={','.join(words)}: name one or two"] if not 1 <= len(set(words)) == len(words) <= 2 else []
    )
    aims = []
    for word in words:
        name, _, guide = word.partition("/")
        guide = guide or "latent"
        if name not in NAMES:
            problems.append(f"tune.objective={word}: choose of {', '.join(NAMES)}, e.g. frechet or frechet,diversity")
        elif guide not in GUIDES[config.model.code]:
            guides = " and ".join(GUIDES[config.model.code])
            problems.append(f"tune.objective={word}: model.code={config.model.code} is guided by {guides} alone")
        elif name in OF_ALL_OUTPUTS and config.model.code == "label":
            problems.append(
                f"tune.objective={word}: a label gives one output for each source, so there is no diversity"
            )
        else:
            metric = METRICS[config.eval.metrics].get(name, name)
            outputs = config.eval.outputs if name in OF_ALL_OUTPUTS else 1
            aims.append(Aim(name, guide, f"{metric}/{guide}/{outputs}"))
    if len(set(aims)) < len(aims):
        problems.append(f"tune.objective={','.join(words)}: the same twice")
    if problems:
        raise ConfigError(problems)
    return tuple(aims)


def mean(values: Iterable[float]) -> float:
    """Over seeds."""
    numbers = list(values)
    return sum(numbers) / len(numbers)
