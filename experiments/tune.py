"""Tune the settings of one arm: a rung of the ladder, or any toggles.

python -m experiments.tune with F quick trials=30
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.rung import varied
from ablations.search import dimensions, read_space
from core.config import Config, ConfigError
from experiments.command import TRACKING, Command, Interrupted, Setting, help_text, parse, run_main, wants_help
from experiments.engines import choice
from experiments.tuning import session as tuning

if TYPE_CHECKING:
    import torch

    from experiments.prepare import Prepared

USAGE = """Tune the settings of one arm on a part of the validation images, which no report is measured on.

usage: python -m experiments.tune with [SCALE] [LADDER] [RUNG] [key=value ...]
       python -m experiments.tune with F quick trials=30
       python -m experiments.tune with F quick space.loss.diversity=0.1:10:log space.train.batch=4,8,16
       python -m experiments.tune with F quick tune.objective=frechet,diversity
       python -m experiments.tune with F quick tune.storage=postgresql://me@server/studies
       python -m experiments.tune show NAME

The same command goes on with the study, and joins it from other terminals and machines; all of them together make
as many trials as are asked for. `show` prints a study and draws it."""

SETTINGS = {
    "name": Setting("", "of the study; the scale's and the rung's if not given"),
    **tuning.SETTINGS,
    **choice.SETTINGS,
    "preflight": Setting(True, "first rehearse the arm, and say what its trials take at most"),
    "runs": Setting("runs", "folder of the runs and the studies"),
    "tracking": TRACKING,
}


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments):
        print(help_text(USAGE, SETTINGS, rungs_allowed=True))
        return 0
    if arguments[:1] == ["show"]:
        return _show(arguments[1:])
    command = parse(arguments, SETTINGS, rungs_allowed=True)
    problems = tuning.out_of_range(command.settings) + choice.problems_of(command.settings)
    if problems:
        raise ConfigError(problems)
    config = untuned(command)
    space = read_space(command.settings["space"], command.settings["space."])
    found = dimensions(space, config, varied(command.ladder) if command.rung else None)

    from core.data.parts import part_of
    from core.runtime import choose_device
    from core.training.replicas import refuse_uneven
    from experiments.files import check_writable
    from experiments.prepare import load_real_images, prepare
    from experiments.tracking.address import check_tracking, hand_down
    from experiments.tuning.text import summary

    runs = Path(command.settings["runs"])
    check_writable(runs)
    hand_down(check_tracking(command.settings["tracking"], runs))
    device = choose_device(config.device)
    refuse_uneven(config.train.batch, command.settings["gpus_per_run"])
    prepared = prepare(config, runs / "cache")
    for note in prepared.notes:
        print(note, file=sys.stderr)
    config = prepared.resolve(config)
    name, label, again = name_of(command), command.rung or "run", "python -m experiments.tune " + command.again
    session = tuning.Session.read(name, label, config, found, command.settings, runs, again)
    part_of(prepared.data, config.eval.part, config.eval.tuning_share)
    study = tuning.join(session)  # what is wrong with these two is said before the judge is trained
    load_real_images(config, prepared.data, runs / "cache", device)
    fit = None if study.complete(session.settings["trials"]) else _foresee(session, prepared, device)
    try:
        record = tuning.work(session, device.type, fit)
    except KeyboardInterrupt as stop:
        raise Interrupted(f"stopped; every trial's state is saved. To go on:\n  {again}") from stop
    print(summary(record))
    print(f"\npython -m experiments.tune show {session.name}{_place(command)}")
    return 0 if record["best"] is not None else 1


def _foresee(session: tuning.Session, prepared: Prepared, device: torch.device) -> int | None:
    """Say what the study will take. Raises UserError where that is not there, or the arm cannot be trained.

    Returns how many runs fit into this machine's memory beside each other, where that is known.
    """
    from experiments.preflight.foresight import foresee_study
    from experiments.preflight.rehearsing import estimate

    if not session.settings["preflight"]:
        refused, fit = estimate({session.label: session.config}, session.settings, device)
        if refused:
            raise ConfigError([*refused.values()])
        return fit
    outlook = foresee_study(session, prepared, device)
    print(outlook.text(), file=sys.stderr)
    outlook.refuse("study", "a trial that fails is recorded as that")
    return outlook.fit


def untuned(command: Command) -> Config:
    """The configuration whose settings are tuned, measured on the tuning split. Raises ConfigError."""
    from experiments.run import configuration

    if command.updates.get("eval.part", "tuning") != "tuning":
        raise ConfigError(
            [f"eval.part={command.updates['eval.part']}: tuning measures on the tuning split; leave it out"]
        )
    return configuration(dataclasses.replace(command, updates={**command.updates, "eval.part": "tuning"}))


def name_of(command: Command) -> str:
    """The name of a study. Raises ConfigError."""
    name = str(command.settings["name"]) or "-".join(filter(None, (command.preset.name, command.rung)))
    if name in (".", "..") or any(part in name for part in "/\\\0"):
        raise ConfigError([f"name={name}: a name is one file, without slashes"])
    return name


def _place(command: Command) -> str:
    """What `show` has to be told of where the study is."""
    keys = [key for key in ("runs", "tune.storage") if command.settings[key] != SETTINGS[key].default]
    return "".join(f" {word}" for word in command.again.split() if word.partition("=")[0] in keys)


def _show(words: list[str]) -> int:
    """Print and draw a study."""
    from experiments.tuning.plots import draw
    from experiments.tuning.showing import find
    from experiments.tuning.text import summary

    record, folder = find(words)
    print(summary(record))
    print("\n" + "\n".join(str(path) for path in draw(record, folder)))
    return 0


if __name__ == "__main__":
    run_main(main)
