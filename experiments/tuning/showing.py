"""A study that is there already, from the words `NAME [runs=FOLDER] [tune.storage=ADDRESS]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import optuna

from core.errors import UserError
from experiments.naming import names_and_folder
from experiments.tuning.record import Record, record_of
from experiments.tuning.session import journal_of
from experiments.tuning.storage import open_storage

KEY = "tune.storage="


def find(words: Sequence[str]) -> tuple[Record, Path]:
    """(the record of a study, the folder for its pictures). Raises UserError that lists the studies there are."""
    addresses = [word.removeprefix(KEY) for word in words if word.startswith(KEY)]
    names, runs = names_and_folder([word for word in words if not word.startswith(KEY)], "runs")
    folder = journal_of(runs, "").parent
    files = {path.stem: path for path in sorted(folder.glob("*.journal"))}
    storage = open_storage(addresses[-1], folder) if addresses else None
    known = optuna.get_all_study_names(storage.optuna) if storage else list(files)
    if len(names) != 1 or names[0] not in known:
        there = f"There are: {', '.join(known)}" if known else "There is none"
        raise UserError(
            f"{' '.join(names) or 'show'}: name a study of {storage.shown if storage else folder}. {there}."
        )
    [name] = names
    if storage is None:
        storage = open_storage("", files[name])
    return record_of(optuna.load_study(study_name=name, storage=storage.optuna), name), folder / name
