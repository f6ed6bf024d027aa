from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.page.pictures import BUDGET, album
from experiments.report_records import ReportRecords, RunRecord


def runs_of(report: Path) -> list[RunRecord]:
    return ReportRecords(report).runs()


def decoded(source: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB")


def test_pictures_are_the_runs_own_while_they_fit(make_report: Callable[..., Path]) -> None:
    report = make_report(letters="AF", seeds=2)
    found = album(runs_of(report))
    assert [(one.kind, one.label, one.seed) for one in found.pictures] == [
        ("latent", "A", 0),
        ("latent", "A", 1),
        ("latent", "F", 0),
        ("reference", "F", 0),
        ("latent", "F", 1),
        ("reference", "F", 1),
    ]
    first = found.pictures[0]
    assert (report / first.file).read_bytes() == base64.b64decode(first.source.partition(",")[2])
    assert found.note == ""


def test_a_small_budget_takes_detail_then_seeds(make_report: Callable[..., Path]) -> None:
    report = make_report(letters="ABC", seeds=3)
    noise = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    for run in runs_of(report):
        Image.fromarray(noise).save(run.folder / "latent.png")
    whole = sum((run.folder / "latent.png").stat().st_size for run in runs_of(report))
    assert album(runs_of(report), whole).note == ""
    smaller = album(runs_of(report), int(0.9 * whole))
    assert len(smaller.pictures) == 9 and "compressed" in smaller.note and "first seed" not in smaller.note
    error = np.abs(np.asarray(decoded(smaller.pictures[0].source), float) - noise).mean()
    assert 0 < error < 8
    tiny = album(runs_of(report), int(0.15 * whole))
    assert len(tiny.pictures) == 3 and "first seed" in tiny.note


def test_large_tiles_are_shown_smaller(make_report: Callable[..., Path]) -> None:
    report = make_report(letters="A")
    (run,) = runs_of(report)
    image = Image.new("RGB", (5 * 256, 4 * 256), (200, 10, 10))
    image.paste((0, 0, 250), (256, 0, 512, 256))
    image.save(run.folder / "latent.png")
    run.result.pictures["tile"] = 256  # type: ignore[index]
    (picture,) = album([run]).pictures
    assert (picture.width, picture.height, picture.tile) == (5 * 128, 4 * 128, 128)
    shown = decoded(picture.source)
    assert shown.getpixel((127, 64)) == (200, 10, 10) and shown.getpixel((128, 64)) == (0, 0, 250)


def test_pictures_that_cannot_be_read_are_left_out(make_report: Callable[..., Path]) -> None:
    report = make_report(letters="A")
    (run,) = runs_of(report)
    (run.folder / "latent.png").write_bytes(b"no picture")
    assert album([run]).pictures == () and album([]).pictures == ()
    assert BUDGET * 4 / 3 < 3e6
