"""Pictures from a trained run: translations by latents and by references, and strips and loops between two of them.

python -m experiments.translate F --report quick --source me.jpg --domain dog
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.settings import nearest
from experiments.command import run_main

if TYPE_CHECKING:
    from experiments.records import RunFolder
    from experiments.translating.input_images import InputImages
    from experiments.translating.studio import Studio

DESCRIPTION = """Pictures from a trained run. Into OUT go, for each domain:

  DOMAIN-latents.png             every source (rows) with every latent code (columns)
  DOMAIN-references.png          every source (rows) in the style of every reference (columns)
  DOMAIN-latents-strip.png       from the first latent code to the second; likewise for references
  DOMAIN-latents-loop-01.gif     the same, moving, for the first source; likewise for references

Without --source, --reference and --latents it shows the run's own validation images, guided in every way that the run
knows. A RUN of the rungs A to C makes one translation of an image; references guide the rungs E and F alone."""

RUN_HELP = """the folder of a run; or its key DIGEST-sSEED, or the start of it, under --runs; or its label: F, or F-s1
with the seed (in --report if given, else in --runs)"""

OWN_SOURCES = 2  # of each domain
OWN_REFERENCES = 4
LATENTS = 5


def main(arguments: list[str]) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)

    from experiments.translating.lookup import find_run
    from experiments.translating.studio import draw, open_studio

    folder = find_run(asked.run, asked.runs, asked.reports, asked.report)
    studio = open_studio(folder, asked.device)
    targets = _targets(asked, studio)
    guides = _guides(asked, studio)
    sources = _sources(asked, studio, folder)
    _say(f"rows, from the top: {', '.join(sources.names)}", sources.note)
    count = _latents(asked, studio) if "latent" in guides else 0
    out = asked.out or folder.path / "translate"
    for target in targets:
        for guide in guides:
            if guide == "reference":
                references = _references(asked, studio, folder, target)
                _say(f"references of {studio.domains[target]}: {', '.join(references.names)}", references.note)
                codes, heads = studio.reference_codes(references.images, target), references.images
            else:
                codes, heads = studio.latent_codes(count, target, asked.seed), None
            try:
                for path in draw(studio, sources, codes, heads, out / f"{_stem(studio, target)}-{guide}s", asked.steps):
                    print(path)
            except OSError as error:
                reason = error.strerror or error
                raise UserError(f"{out}: cannot be written ({reason}). Choose another folder with --out.") from error
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.translate",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("run", metavar="RUN", help=RUN_HELP)
    add("--source", nargs="+", type=Path, metavar="IMG", help="images to translate, or folders of them, of any domain")
    add("--reference", nargs="+", type=Path, metavar="IMG", help="images of --domain whose style is taken")
    add("--latents", type=_at_least(1), metavar="N", help=f"latent codes to draw (default {LATENTS})")
    add("--domain", metavar="NAME", help="where to go (default: every domain)")
    add("--out", type=Path, metavar="FOLDER", help="where the pictures go (default: RUN/translate)")
    add("--seed", type=_at_least(0), default=0, help="of the latent codes (default 0)")
    add("--steps", type=_at_least(2), default=8, help="pictures from one code to the other (default 8)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--report", default="", metavar="NAME", help="look RUN up in this report")
    add("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="folder of the runs (default runs)")
    add("--reports", type=Path, default=Path("reports"), metavar="FOLDER", help="folder of the reports")
    return parser


def _at_least(least: int) -> type[int]:
    def whole(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    whole.__name__ = "whole number"  # argparse: "invalid whole number value: 'x'"
    return whole  # type: ignore[return-value]  # argparse calls whatever it gets


def _targets(asked: argparse.Namespace, studio: Studio) -> list[int]:
    if asked.domain is None:
        if asked.reference:
            raise UserError(f"say with --domain what the references show: one of {', '.join(studio.domains)}.")
        return list(range(len(studio.domains)))
    if asked.domain not in studio.domains:
        known = list(studio.domains)
        raise UserError(f"--domain {asked.domain}: this run knows {', '.join(known)}{nearest(asked.domain, known)}.")
    return [studio.domains.index(asked.domain)]


def _guides(asked: argparse.Namespace, studio: Studio) -> list[str]:
    """Those that were asked for; every one that the run knows where none was."""
    if asked.reference and not studio.reads_references:
        raise UserError(
            f"--reference: this run has a {studio.config.model.code} code and takes no style from an image. Only "
            "a style code does (the rungs E and F): leave --reference out, or choose such a run."
        )
    everything = not asked.reference and asked.latents is None
    guides = ["latent"] if asked.latents is not None or everything else []
    return guides + (["reference"] if asked.reference or (everything and studio.reads_references) else [])


def _latents(asked: argparse.Namespace, studio: Studio) -> int:
    if studio.varies:
        return asked.latents or LATENTS
    _say("this run has a label code: an image has one translation to a domain, so there is one column and no strip")
    return 1


def _sources(asked: argparse.Namespace, studio: Studio, folder: RunFolder) -> InputImages:
    return _read(asked.source, studio) or _own(studio, folder, list(range(len(studio.domains))), OWN_SOURCES)


def _references(asked: argparse.Namespace, studio: Studio, folder: RunFolder, target: int) -> InputImages:
    return _read(asked.reference, studio) or _own(studio, folder, [target], OWN_REFERENCES)


def _read(paths: list[Path] | None, studio: Studio) -> InputImages | None:
    from experiments.translating.input_images import read_images

    config = studio.config
    return read_images(paths, config.model.resolution, config.data.fit) if paths else None


def _own(studio: Studio, folder: RunFolder, domains: list[int], each: int) -> InputImages:
    from experiments.prepare import load_data
    from experiments.translating.input_images import own_images

    data = load_data(studio.config, folder.path.parent / "cache")
    if data.domains != studio.domains:
        raise UserError(f"the images of {folder.path} are not at hand. Give images with --source and --reference.")
    return own_images(data, domains, each)


def _stem(studio: Studio, target: int) -> str:
    return studio.domains[target].replace("/", "_")


def _say(*lines: str) -> None:
    for line in filter(None, lines):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    run_main(main)
