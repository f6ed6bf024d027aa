"""The numbers and pictures of averaged networks, by the fixed protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from core.config import Config
from core.metrics.protocol import evaluate
from core.metrics.real import RealImages
from core.metrics.rows import Row
from core.model.build import Translator
from experiments.lacking import pictures_of
from experiments.pictures import interpolation_grid, latent_grid, reference_grid, write_picture
from experiments.prepare import translating
from experiments.records import RunFolder


def measure(
    config: Config,
    translator: Translator,
    real: RealImages,
    *,
    title: str,
    quiet: bool = False,
    check: Callable[[], object] = lambda: None,
) -> list[Row]:
    """The rows of averaged networks. check: called again and again, to stop by raising. Raises UserError."""
    with tqdm(desc=f"{title} evaluating", unit="image", disable=quiet, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            check()
            bar.total = total
            bar.update(done - bar.n)

        return evaluate(
            translating(translator, config, real.device),
            real,
            guides=translator.code.guides,
            stochastic=translator.code.stochastic > 0,
            latent_dim=config.model.latent_dim,
            outputs=config.eval.outputs,
            seed=config.eval.seed,
            progress=progress,
        )


def draw(
    config: Config, translator: Translator, folder: RunFolder, real: RealImages, names: Sequence[str] | None = None
) -> None:
    """Write the pictures of a finished run. names: of the files; all that such a run has if not given."""
    data, size, device, seed = real.data, config.model.latent_dim, real.device, config.eval.seed
    grids = {
        "latent.png": lambda: latent_grid(translator, data, size, device, seed),
        "reference.png": lambda: reference_grid(translator, data, device),
        "interpolation.png": lambda: interpolation_grid(translator, data, size, device, seed),
    }
    for name in pictures_of(config) if names is None else names:
        write_picture(grids[name](), folder.pictures / name)


def means(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """{metric/guide/outputs: mean over domain pairs}."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        groups.setdefault(f"{row['metric']}/{row['guide']}/{row['outputs']}", []).append(row["value"])
    return {name: sum(values) / len(values) for name, values in groups.items()}
