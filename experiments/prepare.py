"""From what was asked for to what can run: the images found and checked, the metrics chosen, the judge at hand.

Everything that can be wrong is found here, before anything trains. What is found becomes part of the configuration, and
so of a run's identity: the domains, the fingerprint of the images, the metrics that can be measured.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from core.config import Config, changed, digest
from core.data.critters import load_critters
from core.data.folders import load_folders
from core.data.images import DataSet
from core.data.parts import part_of
from core.errors import UserError
from core.metrics.judge import Judge
from core.metrics.judge_training import load_judge
from core.metrics.protocol import Translate, evaluate_references
from core.metrics.real import RealImages
from core.metrics.suite import choose, decide
from core.model.build import Translator
from core.model.masks import check_landmarks
from core.runtime import autocast, one_thread
from experiments.files import read_json, write_json


@dataclass(frozen=True)
class Prepared:
    """What runs over the same images share."""

    data: DataSet
    metrics: str  # "paper" or "judge": what `eval.metrics=auto` comes to
    notes: tuple[str, ...]  # what log and report must say
    masks: str = ""  # fingerprint of the high-pass skip's masks, or of the model that makes them

    def resolve(self, config: Config) -> Config:
        """A configuration with what was found: its identity is complete."""
        # A run's process may have another working folder.
        paths = {
            "data.root": config.data.root,
            "data.masks": config.data.masks,
            "model.landmarks": config.model.landmarks,
        }
        return changed(
            config,
            {
                **{name: str(Path(path).expanduser().resolve()) if path else "" for name, path in paths.items()},
                "data.domains": self.data.domains,
                "data.fingerprint": self.data.fingerprint,
                "data.masks_fingerprint": self.masks,
                "eval.metrics": self.metrics,
            },
        )


def prepare(config: Config, cache: Path) -> Prepared:
    """Find and check images and metrics. Raises UserError that lists everything that is wrong with them."""
    data = load_data(config, cache)
    metrics, note = decide(config.eval.metrics, config.model.resolution, config.eval.protocol)
    return Prepared(data, metrics, (*data.notes, *([note] if note else ())), masks_fingerprint(config, data))


def masks_fingerprint(config: Config, data: DataSet) -> str:
    """What the masks are: those of the images, or the landmark model, which is tried; "" without. Raises UserError."""
    landmarks = config.model.landmarks
    if not landmarks:
        return data.masks_fingerprint
    return check_landmarks(str(Path(landmarks).expanduser()), config.model.resolution)


def load_data(config: Config, cache: Path) -> DataSet:
    """The images of a configuration. Raises UserError."""
    data, resolution = config.data, config.model.resolution
    if not data.root:
        return load_critters(data.train_images, data.val_images, resolution)
    with _bar("reading images", "image") as progress:
        return load_folders(
            Path(data.root).expanduser(),
            resolution,
            attributes=data.attributes,
            fit=data.fit,
            skip_bad=data.skip_bad,
            val_fraction=data.val_fraction,
            cache=cache / "images",
            minimum_train=2,  # a distance needs two
            progress=progress,
            masks=Path(data.masks).expanduser() if data.masks else None,
        )


def refuse_changed(config: Config, data: DataSet) -> None:
    """Raise UserError where images or masks are not those that the run was planned with."""
    if data.fingerprint != config.data.fingerprint:
        raise UserError(
            f"{config.data.root}: the images have changed since this run was planned. Start the command anew."
        )
    if masks_fingerprint(config, data) != config.data.masks_fingerprint:
        raise UserError(
            f"{config.data.masks or config.model.landmarks}: the masks have changed since this run was planned. Start "
            "the command anew."
        )


def load_real_images(config: Config, data: DataSet, cache: Path, device: torch.device) -> RealImages:
    """What evaluation compares with: the judge, trained if it is not at hand, and the extractors.

    The judge is that of the whole data set; what is measured are the images of the configuration's part.
    """
    # One thread: the judge's checksum is part of every number's protocol, and must not vary with the number of cores.
    with one_thread(), _bar("training the judge", "step") as progress:
        judge = load_judge(data, cache / "judges", config.eval.judge_steps, device, progress)
    suite = choose(config.eval.metrics, judge, config.model.resolution, device, config.eval.protocol)
    data = part_of(data, config.eval.part, config.eval.tuning_share)
    sources, references = config.eval.sources or None, config.eval.references or None
    return RealImages(data, suite, judge, device, sources, references, config.eval.batch, cache / "features")


def open_real_images(config: Config, cache: Path, device: torch.device) -> RealImages:
    """The images that a run was planned with, and what its evaluation compares with. Raises UserError."""
    data = load_data(config, cache)
    refuse_changed(config, data)
    return load_real_images(config, data, cache, device)


def reference_rows(config: Config, real: RealImages, cache: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of real and of untouched source images; measured once for equal images, judge and protocol."""
    path = references_file(config, real, cache)
    if not path.exists():
        rows = evaluate_references(real, outputs=config.eval.outputs, seed=config.eval.seed)
        write_json(path, rows)
    return read_json(path)


def references_file(config: Config, real: RealImages, cache: Path) -> Path:
    """Where `reference_rows` are kept, once they are measured."""
    fixed = changed(Config(), {"data.fingerprint": config.data.fingerprint, "data.domains": config.data.domains})
    identity = dataclasses.replace(fixed, eval=config.eval)
    return cache / "references" / f"{digest(identity)}-{real.judge.checksum}.json"


def judge_report(judge: Judge) -> dict[str, Any]:
    """How well the judge reads held-out real images, as plain data."""
    return json.loads(json.dumps(judge.report))


def translating(translator: Translator, config: Config, device: torch.device) -> Translate:
    """The averaged networks as evaluation calls them."""

    def translate(
        guide: str,
        images: Tensor,
        source: Tensor,
        target: Tensor,
        latents: Tensor,
        references: Tensor | None,
        masks: Tensor | None = None,
    ) -> Tensor:
        with autocast(device, config.precision):
            if guide == "latent":
                code = translator.code.of_noise(latents, target)
            else:
                assert references is not None
                code = translator.code.of_image(references, target)
            return translator(images, code, masks)

    return translate


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Any]:
    """A progress bar that appears with the first report of progress, so that nothing shows where nothing is done."""
    bar: tqdm[Any] | None = None

    def progress(done: int, total: int) -> None:
        nonlocal bar
        if bar is None or bar.total != total:
            bar = tqdm(total=total, desc=title, unit=unit, leave=False, mininterval=0.5)
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()
