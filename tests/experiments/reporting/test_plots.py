from __future__ import annotations

from collections.abc import Callable
from itertools import groupby, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from experiments.report_records import ReportRecords, RunRecord
from experiments.reporting.curves import POINTS, curve, draw_curves, running_median
from experiments.reporting.montage import ROWS, Grid, draw_comparison, draw_references, open_grid, pairs_shown
from experiments.reporting.plots import draw_bars
from experiments.reporting.sheet import Sheet
from experiments.reporting.summary import ladder_tables, references_frame, results_frame
from experiments.reporting.tradeoff import draw_tradeoff

TILE = 8  # of the grids in conftest.py


def test_running_median() -> None:
    values = np.array([1.0, 9.0, 2.0, 3.0, 100.0])
    assert running_median(values, 3).tolist() == [5.0, 2.0, 3.0, 3.0, 51.5]
    assert running_median(values, 1).tolist() == values.tolist()
    gap = running_median(np.array([1.0, np.nan, 3.0]), 3)
    assert gap[0] == 1.0 and np.isnan(gap[1]) and gap[2] == 3.0


def test_a_curve_sums_its_terms_over_updates(make_report: Callable[..., Path]) -> None:
    run = ReportRecords(make_report(letters="F")).runs()[0]
    x, y = curve(run, ["d/latent/real", "d/latent/fake"])
    assert (x[0], x[-1]) == (2.0, 80.0)  # two updates an iteration
    assert y[0] == 2.0 and y[-1] == pytest.approx(2 / 40)
    assert len(curve(run, ["g/latent/diversity"])[0]) == 0
    long = RunRecord("F", run.result, tuple({"iteration": n, "a": 1.0} for n in range(5000)), run.folder)
    assert POINTS / 2 < len(curve(long, ["a"])[0]) <= POINTS


@pytest.mark.parametrize("domains", [2, 3, 4, 6])
def test_rows_show_every_domain_as_source_and_as_target(domains: int) -> None:
    rows = pairs_shown(domains, 2)
    assert len(rows) == len(set(rows)) <= ROWS
    assert {source for source, _, _ in rows} == {target for _, _, target in rows} == set(range(domains))
    assert all(source != target for source, _, target in rows)


def test_two_domains_show_both_sources() -> None:
    assert pairs_shown(2, 2) == [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0)]
    assert pairs_shown(2, 1) == [(0, 0, 1), (1, 0, 0)]


def test_tiles_are_where_pictures_puts_them(make_report: Callable[..., Path]) -> None:
    pictures = pytest.importorskip("experiments.pictures")
    run = ReportRecords(make_report(letters="A")).runs()[0]
    layout = pictures.Layout.of_record(run.result.pictures)
    assert layout.as_record() == dict(run.result.pictures)
    grid = open_grid(run, "latent.png")
    assert grid is not None
    tile = grid.tile(3, 4, 16)
    assert tile is not None and tile.size == (16, 16)
    assert tile.getpixel((8, 8)) == (30, 40, ord("A"))
    assert grid.tile(4, 0, 16) is None  # two domains have four sources


def test_comparison_has_a_column_a_rung(make_report: Callable[..., Path], tmp_path: Path) -> None:
    records = ReportRecords(make_report(letters="ABCDF", seeds=2))
    path = tmp_path / "comparison.png"
    assert draw_comparison(records.ladder()["arms"], records.runs(), path)
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert picture.shape[1] <= 6.9 * 150 + 1
    # Blue is the rung: through the last row, from the left the source (0), then A A B B ...; E is grey.
    line = [tuple(pixel) for pixel in picture[-30].tolist()]
    runs = [pixel for pixel, before in pairwise(line) if pixel == before]
    tiles = [pixel for pixel, _ in groupby(runs) if max(pixel) - min(pixel) > 20]
    assert [pixel[2] for pixel in tiles if pixel[1]] == [ord(letter) for letter in "AABBCCDDFF"]
    assert {pixel[0] for pixel in tiles} == {30}  # the last row: the second dog
    assert [pixel[1] for pixel in tiles if pixel[1]] == [10, 20] * 5  # two latents of the first target, the cat
    assert (236, 236, 236) in runs
    assert path.with_suffix(".pdf").read_bytes()[:5] == b"%PDF-"


def test_many_rungs_stand_in_blocks_of_one_size(make_report: Callable[..., Path], tmp_path: Path) -> None:
    records = ReportRecords(make_report(letters="AF"))
    arms = records.ladder()["arms"]
    sizes = []
    for number, shown in enumerate((arms[:5], arms + arms[:4])):
        path = tmp_path / f"{number}.png"
        assert draw_comparison([{**arm, "label": arm["label"]} for arm in shown], records.runs(), path)
        sizes.append(Image.open(path).size)
    assert sizes[0][0] == sizes[1][0] and sizes[1][1] > 1.8 * sizes[0][1]  # ten: two blocks of five


def test_large_tiles_have_more_pixels() -> None:
    assert [Sheet(1, 1, tile, 0.5).pixels for tile in (8, 32, 64, 128, 256)] == [75, 75, 75, 150, 150]


def test_damaged_and_missing_pictures_are_left_out(make_report: Callable[..., Path], tmp_path: Path) -> None:
    report = make_report(letters="AB")
    (report / "records" / "A-s0" / "latent.png").write_bytes(b"no picture")
    (report / "records" / "B-s0" / "latent.png").unlink()
    records = ReportRecords(report)
    assert not draw_comparison(records.ladder()["arms"], records.runs(), tmp_path / "comparison.png")
    assert not (tmp_path / "comparison.png").exists()


def test_references_are_drawn_for_the_rungs_that_have_them(make_report: Callable[..., Path], tmp_path: Path) -> None:
    records = ReportRecords(make_report(letters="DEF"))
    path = tmp_path / "reference.png"
    assert draw_references(records.ladder()["arms"], records.runs(), path) == ["E", "F"]
    assert path.exists()
    only_d = ReportRecords(make_report("other", letters="D"))
    assert draw_references(only_d.ladder()["arms"], only_d.runs(), tmp_path / "none.png") == []


def test_charts_do_not_depend_on_a_persons_style(make_report: Callable[..., Path], tmp_path: Path) -> None:
    records = ReportRecords(make_report(seeds=2))
    ladder, runs = records.ladder(), records.runs()
    tables = ladder_tables(ladder, results_frame(runs), references_frame(ladder))
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9} if name == "two" else {}):
            assert draw_bars(tables, tables[0].columns, folder / "bars.png")
            assert draw_tradeoff(tables, "ABCDEF", folder / "tradeoff.png")
            assert draw_curves(runs, folder / "curves.png")
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1] and len(written[0]) == 6
    assert all(b"tEXt" not in content and b"tIME" not in content for content in written[0].values())


def test_nothing_to_draw_leaves_no_file(make_report: Callable[..., Path], tmp_path: Path) -> None:
    report = make_report(letters="AB")
    for path in report.glob("records/*/curves.jsonl"):
        path.write_text("")
    records = ReportRecords(report)
    runs = records.runs()
    tables = ladder_tables(records.ladder(), results_frame(runs), references_frame(records.ladder()))
    assert not draw_tradeoff(tables, "ABCDEF", tmp_path / "tradeoff.png")  # one output each: no diversity
    assert not draw_curves(runs, tmp_path / "curves.png")
    assert not draw_bars(tables, [], tmp_path / "bars.png")
    assert not [*tmp_path.glob("*.png"), *tmp_path.glob("*.pdf")]


def test_a_grid_knows_its_layout() -> None:
    grid = Grid(Image.new("RGB", (16, 8), (1, 2, 3)), {"tile": 8})
    tile = grid.tile(0, 1, 4)
    assert tile is not None and tile.getpixel((0, 0)) == (1, 2, 3)
    assert grid.tile(0, 2, 4) is None
