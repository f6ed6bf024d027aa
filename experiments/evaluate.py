"""Measure an imported run on a folder of images, by the protocol that measures our own runs.

python -m experiments.evaluate celeba with data.root=~/celeba_hq
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config, ConfigError, as_flat, changed
from core.errors import UserError
from experiments.command import Setting, help_text, parse, run_main, wants_help

if TYPE_CHECKING:
    from experiments.records import Result, RunFolder

USAGE = """Measure an imported run (python -m experiments.import_checkpoint) on a folder of images.

usage: python -m experiments.evaluate RUN with data.root=FOLDER [key=value ...]
       python -m experiments.evaluate celeba with data.root=~/celeba_hq eval.outputs=10

The images' domains are those of the run, in alphabetical order. Settings of data, eval, device and precision can be
given; the networks are what they are. A run that was trained here has its result already."""

SETTINGS = {"runs": Setting("runs", "folder of the runs")}
OPEN = ("data.", "eval.", "device", "precision", "model.landmarks")  # what may be set


def main(arguments: list[str]) -> int:
    """The command."""
    if wants_help(arguments) or not arguments:
        print(help_text(USAGE, SETTINGS, rungs_allowed=False))
        return 0
    name, words = arguments[0], arguments[1:]
    command = parse(words, SETTINGS, rungs_allowed=False)
    fixed = [word for word in words if word != "with" and "=" not in word]
    fixed += [f"{path}={value}" for path, value in command.updates.items() if not path.startswith(OPEN)]
    if fixed:
        raise ConfigError([f"{word}: only data, eval and device can be set, the run is trained" for word in fixed])

    from experiments.reporting.tables import run_summary
    from experiments.translating.lookup import find_run

    runs = Path(command.settings["runs"])
    folder = find_run(name, runs, Path("reports"))
    if not folder.imported:
        raise UserError(
            f"{folder.path}: this run was not imported. A run that is trained here is measured at its end: see "
            "python -m experiments.run."
        )
    print(run_summary(_evaluated(folder, changed(folder.config(), command.updates), runs)))
    print(f"\n{folder.path}")
    return 0


def _evaluated(folder: RunFolder, config: Config, runs: Path) -> Result:
    """Measure, and write the result. Raises UserError."""
    import torch

    from core.config import digest
    from core.runtime import describe_device, make_deterministic
    from experiments.environment import environment, peak_memory
    from experiments.evaluation import draw, measure
    from experiments.pictures import layout_of
    from experiments.prepare import load_real_images, prepare
    from experiments.records import Result
    from experiments.translating.studio import open_studio

    if not config.data.root:
        raise UserError("say with data.root=FOLDER which images to measure on.")
    started = time.perf_counter()
    make_deterministic()
    prepared = prepare(config, runs / "cache")
    data = prepared.data
    if data.domains != config.data.domains:
        raise UserError(
            f"{config.data.root} has the domains {', '.join(data.domains)} and the run {folder.path} knows "
            f"{', '.join(config.data.domains)}. They must have equal names, in alphabetical order: import the "
            "checkpoint with --domains, or rename the folders."
        )
    for note in prepared.notes:
        print(note, file=sys.stderr)
    studio = open_studio(folder, config.device)
    config, translator = prepared.resolve(config), studio.translator
    real = load_real_images(config, data, runs / "cache", studio.device)
    rows = measure(config, translator, real, title=folder.label())
    draw(config, translator, folder, real)
    networks = {"generator": translator.generator, **dict(translator.code.named_children())}
    result = Result(
        digest=digest(config),
        seed=config.seed,
        config=as_flat(config),
        iterations=0,
        generator_updates=0,
        images_seen=0,
        parameters={name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        train_seconds=0.0,
        evaluate_seconds=round(time.perf_counter() - started, 1),
        peak_memory_bytes=peak_memory(),
        device=describe_device(studio.device),
        environment=environment() | {"threads": str(torch.get_num_threads())},
        rows=tuple(dict(row) for row in rows),
        notes=(f"imported from {folder.status()['checkpoint']}; not trained here", *data.notes),
        pictures=layout_of(data.val).as_record(),
    )
    folder.write_result(result)
    return result


if __name__ == "__main__":
    run_main(main)
