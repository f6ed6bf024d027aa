"""Make a run of a checkpoint that the authors of StarGAN v2 or StarGAN released, to translate and evaluate it as ours.

python -m experiments.import_checkpoint 100000_nets_ema.ckpt --name celeba --domains female,male --landmarks fan.pt
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config, changed
from core.errors import UserError
from experiments.command import run_main

if TYPE_CHECKING:
    from core.released import Weights

DESCRIPTION = """Make a run of a checkpoint of the authors: StarGAN v2's *_nets_ema.ckpt, or StarGAN's *-G.ckpt.

Resolution, widths, number of domains and the high-pass variant are read off the weights. StarGAN's do not say their
resolution (--resolution), nor whether their labels are domains or attributes (--attributes). Then:
  python -m experiments.translate NAME --source me.jpg
  python -m experiments.evaluate NAME with data.root=FOLDER"""

LANDMARKS = """TorchScript model that maps images (n, 3, R, R) in [-1, 1] to two masks (n, 2, R/4, R/4) in [0, 1]; the
high-pass variant needs it"""

ATTRIBUTES = """StarGAN's labels, in the order of training, where an image can have several; then --domains names the
combinations that translations go to, e.g. Black_Hair+Male, and --root is needed"""


def main(arguments: list[str]) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)
    path = asked.runs / asked.name
    if not re.fullmatch(r"\w[\w.-]*", asked.name):
        raise UserError(f"--name {asked.name}: use letters, digits, dots, dashes and underscores.")
    if path.exists():
        raise UserError(f"{path}: there is a run of this name. Choose another --name, or delete the folder.")

    from core.released import read_checkpoint

    networks = read_checkpoint(asked.path)
    config = (_stargan_configuration if len(networks) == 1 else _configuration)(asked, networks)
    _write(path, config, asked, networks)
    print(f"{config.model.resolution} px, domains {', '.join(config.data.domains)}", file=sys.stderr)
    print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.import_checkpoint",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("path", metavar="PATH", type=Path, help="the checkpoint; nothing in it is executed")
    add("--name", required=True, help="of the run's folder")
    add("--domains", default="", metavar="A,B,...", help="names, in the order of training, which is alphabetical")
    add("--landmarks", default="", metavar="FILE.pt", help=LANDMARKS)
    add("--high-pass", type=float, metavar="W", help="weight of the high-pass skip, where the file does not say it")
    add("--resolution", type=int, default=128, metavar="SIDE", help="of StarGAN's images (default 128, as released)")
    add("--attributes", default="", metavar="A,B,...", help=ATTRIBUTES)
    add("--root", default="", metavar="FOLDER", help="of the images with these attributes")
    add("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="folder of the runs (default runs)")
    return parser


def _configuration(asked: argparse.Namespace, networks: dict[str, Weights]) -> Config:
    """The configuration that these weights have. Raises UserError where what was asked for is another."""
    from core.model.masks import check_landmarks
    from core.released import HIGH_PASS, settings_of

    try:
        settings, count = settings_of(networks)
    except UserError as error:
        raise UserError(f"{asked.path}: {error}") from error
    domains = asked.domains.split(",") if asked.domains else [f"domain-{number}" for number in range(count)]
    if len(domains) != count or len(set(domains)) != count or not all(domains):
        raise UserError(f"--domains {asked.domains}: {asked.path} has {count} domains; give {count} different names.")
    found = settings["model.high_pass"]
    said = HIGH_PASS in networks["generator"]
    if asked.high_pass is not None and (asked.high_pass <= 0 or not found or (said and asked.high_pass != found)):
        has = f"a high-pass skip of weight {found:g}" if found else "no high-pass skip"
        raise UserError(f"--high-pass {asked.high_pass:g}: {asked.path} has {has}. Leave --high-pass out.")
    if found and not asked.landmarks:
        raise UserError(
            f"{asked.path} has the high-pass skip, which needs masks of facial landmarks. Give a TorchScript landmark "
            "model with --landmarks FILE.pt."
        )
    if asked.landmarks and not found:
        raise UserError(f"--landmarks {asked.landmarks}: {asked.path} has no high-pass skip. Leave --landmarks out.")
    settings["model.high_pass"] = asked.high_pass or found
    settings["data.domains"] = domains
    if asked.landmarks:
        landmarks = str(Path(asked.landmarks).expanduser().resolve())
        settings["model.landmarks"] = landmarks
        settings["data.masks_fingerprint"] = check_landmarks(landmarks, settings["model.resolution"])
    return changed(Config(), settings)


def _stargan_configuration(asked: argparse.Namespace, networks: dict[str, Weights]) -> Config:
    """Likewise of StarGAN's generator: rung A of the paper's ladder at these sizes."""
    from ablations.paper import LADDER
    from ablations.rung import ladder_arms
    from core.released_stargan import settings_of_stargan

    try:
        settings, count = settings_of_stargan(networks["generator"])
    except UserError as error:
        raise UserError(f"{asked.path}: {error}") from error
    if asked.landmarks or asked.high_pass is not None:
        raise UserError(f"{asked.path} is StarGAN's and has no high-pass skip. Leave --landmarks and --high-pass out.")
    attributes = asked.attributes.split(",") if asked.attributes else []
    labels = attributes or (asked.domains.split(",") if asked.domains else [f"domain-{n}" for n in range(count)])
    if len(labels) != count or len(set(labels)) != count or not all(labels):
        option = "--attributes" if attributes else "--domains"
        raise UserError(f"{option} {','.join(labels)}: {asked.path} has {count} labels; give {count} different names.")
    if attributes and not asked.root:
        raise UserError("--attributes: they are of the images in a folder. Give it with --root FOLDER.")
    settings["model.resolution"] = asked.resolution
    settings["data.domains"] = asked.domains.split(",") if asked.domains else labels
    if attributes:
        settings["data.attributes"] = attributes
        settings["data.root"] = str(Path(asked.root).expanduser().resolve())
        unknown = {part for name in settings["data.domains"] for part in name.split("+")} - {*attributes, "none"}
        if unknown:
            raise UserError(f"--domains: {', '.join(sorted(unknown))}: the attributes are {', '.join(attributes)}.")
    return changed(ladder_arms(LADDER, Config())[0].config, settings)


def _write(path: Path, config: Config, asked: argparse.Namespace, networks: dict[str, Weights]) -> None:
    """The run's folder, whole or not at all. Raises UserError."""
    from core.interop import from_stargan, from_stargan_v2
    from core.model.build import build_translator
    from core.released import with_filter
    from core.training.state import save
    from experiments.records import RunFolder

    translator = build_translator(config)
    ours = {"generator": translator.generator, **dict(translator.code.named_children())}
    if config.model.high_pass:
        networks = {**networks, "generator": with_filter(networks["generator"], config.model.high_pass)}
    renamed = from_stargan if config.model.backbone == "stargan" else from_stargan_v2
    try:
        for name, network in ours.items():
            network.load_state_dict(renamed(name, networks[name], network.state_dict()))
    except UserError as error:
        raise UserError(f"{asked.path}: {error}") from error
    try:
        asked.runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=asked.runs, prefix=".importing-") as unfinished:
            folder = RunFolder(Path(unfinished) / asked.name)
            folder.prepare(config, asked.name)
            folder.write_status("imported", checkpoint=asked.path.name)
            save({"average": translator.state_dict()}, folder.translator)
            os.rename(folder.path, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}). Choose other --runs.") from error


if __name__ == "__main__":
    run_main(main)
