"""The averaged networks of a trained run, from its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from core.config import Config
from core.errors import UserError
from core.model.build import Translator, build_translator
from core.training.state import load


def read_translator(config: Config, paths: Sequence[Path], device: torch.device) -> Translator:
    """From the first of the files that can be read; translator.pt or a checkpoint. Raises UserError if none can."""
    problems: list[UserError] = []
    for path in paths:
        try:
            return _read(config, path, device)
        except UserError as error:
            problems.append(error)
    raise problems[0]


def _read(config: Config, path: Path, device: torch.device) -> Translator:
    weights = load(path, device)
    translator = build_translator(config)
    try:
        translator.load_state_dict(weights["average"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise UserError(
            f"{path}: these weights are not those of this run's configuration. Delete the folder {path.parent} and "
            "train the run again."
        ) from error
    return translator.to(device).eval()
