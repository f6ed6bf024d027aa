"""Where the tiles of the runs' pictures are: for the page's chooser, and for who sees the page without its script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.page.pictures import Album, Picture, album
from experiments.report_records import RunRecord

GUIDES = {"latent": "latents", "reference": "reference images"}
SHOWN_AT_FIRST = 6  # arms


def picture_parts(
    ladder: Mapping[str, Any], runs: Sequence[RunRecord]
) -> tuple[dict[str, dict[str, Any] | None], dict[str, Any] | None]:
    """({"grids", "interpolations"}: what their templates show, None where there are none; what the script needs)."""
    found = album(runs)
    titles = {arm["label"]: arm["title"] for arm in ladder["arms"]}
    grids = [(guide, found.of(guide)) for guide in GUIDES]
    shown = [(guide, pictures) for guide, pictures in grids if pictures]
    labels = list(dict.fromkeys(picture.label for _, pictures in shown for picture in pictures))
    parts = {
        "grids": {
            "guides": [{"name": guide, "words": GUIDES[guide]} for guide, _ in shown],
            "arms": [{"label": label, "title": titles[label]} for label in labels],
            "chosen": _first(ladder, labels),
            "domains": shown[0][1][0].layout["domains"],
            "seeds": sorted({picture.seed for _, pictures in shown for picture in pictures}),
            "figures": [_figure(picture, number) for number, picture in enumerate(_all(shown))],
            "note": found.note,
        }
        if shown
        else None,
        "interpolations": _interpolations(found, titles),
    }
    data = {
        "arms": [{"label": label, "title": titles[label]} for label in labels],
        "guides": {
            guide: {
                "tile": pictures[0].tile,
                **{key: pictures[0].layout[key] for key in ("domains", "sources", "latents")},
            }
            for guide, pictures in shown
        },
        "pictures": [
            {"guide": picture.kind, "arm": labels.index(picture.label), "seed": picture.seed, "id": f"picture-{number}"}
            for number, picture in enumerate(_all(shown))
        ],
    }
    return parts, data if shown else None


def _all(shown: Sequence[tuple[str, Sequence[Picture]]]) -> list[Picture]:
    return [picture for _, pictures in shown for picture in pictures]


def _first(ladder: Mapping[str, Any], labels: Sequence[str]) -> list[str]:
    """The arms that are shown at first: rungs."""
    rungs = [arm["label"] for arm in ladder["arms"] if arm.get("rung", True) and arm["label"] in labels]
    return (rungs or list(labels))[:SHOWN_AT_FIRST]


def _figure(picture: Picture, number: int) -> dict[str, Any]:
    domains = ", ".join(picture.layout["domains"])
    if picture.kind == "latent":
        layout = f"A row a source image, first column. Then {picture.layout['latents']} latents for each of: {domains}."
    else:
        layout = (
            f"Sources in the first column, references in the first row; each {picture.layout['sources']} of: {domains}."
        )
    return {
        "id": f"picture-{number}",
        "picture": picture,
        "caption": f"{picture.label}, seed {picture.seed}, guided by {GUIDES[picture.kind]}",
        "layout": layout,
    }


def _interpolations(found: Album, titles: Mapping[str, str]) -> dict[str, Any] | None:
    pictures = found.of("interpolation")
    if not pictures:
        return None
    return {
        "pictures": [
            {"picture": picture, "title": titles[picture.label], "rows": _rows(picture)} for picture in pictures
        ],
        "note": found.note,
    }


def _rows(picture: Picture) -> list[str]:
    """What each row of tiles shows, as `experiments.pictures.interpolation_grid` lays them out."""
    domains = picture.layout["domains"]
    rows = [f"{domains[(n + 1) % len(domains)]} → {domain}" for n, domain in enumerate(domains)]
    if picture.height // picture.tile > len(domains):
        for n, domain in enumerate(domains):
            rows += ["references", f"{domains[(n + 1) % len(domains)]} → {domain}"]
    return rows
