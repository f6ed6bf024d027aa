"""Find a run by what a person would call it: its folder, the start of its key, or its rung."""

from __future__ import annotations

from pathlib import Path

from core.errors import UserError
from experiments.files import read_json
from experiments.records import RunFolder, key_of


def find_run(name: str, runs: Path, reports: Path, report: str = "") -> RunFolder:
    """The one run that is meant; it need not be finished. Raises UserError with what there is where it is not one.

    name: the path of a run folder; or the name of one under `runs`, which is the key `DIGEST-sSEED` of a run, or its
    start; or a label as in a report: a rung's letter `F`, or `F-s1` with the seed.
    report: where a label is looked up, by name under `reports`; without it, among all runs. One that a report has
    trained with several seeds is taken at the lowest.
    """
    if report:
        return _of_report(name, runs, reports / report)
    for path in (Path(name), runs / name):
        if (path / "config.json").is_file():
            return RunFolder(path)
    if Path(name).is_dir():
        raise UserError(f"{name}: this folder holds no run (no config.json). A run's folder is runs/DIGEST-sSEED.")
    folders = _folders(runs)
    found = [folder for folder in folders if folder.path.name.startswith(name)]
    found = found or [folder for folder in folders if name in _labels(folder)]
    if len(found) == 1:
        return found[0]
    if not folders:
        raise UserError(f"{runs}: there are no runs. Train one: python -m experiments.run with quick F")
    if not found:
        raise UserError(f"{name}: there is no such run in {runs}. There are:\n{_listed(folders)}")
    raise UserError(
        f"{name} can be {len(found)} runs in {runs}. Give more of the key, or the report with --report NAME:\n"
        + _listed(found)
    )


def _of_report(name: str, runs: Path, report: Path) -> RunFolder:
    records = sorted((report / "records").glob("*-s*/result.json"), key=lambda path: _order(path.parent.name))
    if not records:
        raise UserError(f"{report}: there is no such report, or it has no runs. Name a folder with --report.")
    found = [path for path in records if name in (path.parent.name, path.parent.name.rpartition("-s")[0])]
    if not found:
        known = ", ".join(path.parent.name for path in records)
        raise UserError(f"{name}: the report {report} has no such run. It has {known}.")
    result = read_json(found[0])
    recorded = runs / f"{result['digest']}-s{result['seed']}"
    if recorded.is_dir():
        return RunFolder(recorded)
    today = runs / (key_of(result) or recorded.name)  # what a run of an older schema may be called by now
    if today.is_dir():
        return RunFolder(today)
    raise UserError(f"{recorded}: the run of {name} is not on this machine, only its report. Train it again.")


def _order(record: str) -> tuple[str, int]:
    label, _, seed = record.rpartition("-s")
    return label, int(seed) if seed.isdecimal() else 0


def _folders(runs: Path) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(runs.glob("*-s*/config.json"))]


def _labels(folder: RunFolder) -> tuple[str, str]:
    label, seed = folder.label(), folder.path.name.rpartition("-s")[2]
    return label, f"{label}-s{seed}"


def _listed(folders: list[RunFolder], most: int = 20) -> str:
    lines = [f"  {folder.path.name}  {folder.label()}: {_described(folder)}" for folder in folders[:most]]
    rest = len(folders) - most
    return "\n".join(lines + ([f"  and {rest} more"] if rest > 0 else []))


def _described(folder: RunFolder) -> str:
    try:
        config = folder.config()
    except UserError:
        return "made by another version of this program"
    data = Path(config.data.root).name if config.data.root else "critters"
    trained = f"{config.model.resolution} px, {config.train.steps} steps"
    return f"seed {config.seed}, {data}, {trained}, {_state(folder)}"


def _state(folder: RunFolder) -> str:
    return "done" if folder.finished else str(folder.status()["state"])
