"""Figures of the evidence: waterfall, forest, attributions, cost, quality against diversity."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from experiments.report_records import ReportRecords, RunRecord
from experiments.reporting import cost, effects, tradeoff, waterfall
from experiments.reporting.effects import draw_effects, effect_finding
from experiments.reporting.evidence import Evidence, gather
from experiments.reporting.style import COLUMN, SMALL, TEXT
from experiments.reporting.summary import Table, ladder_tables, references_frame, results_frame
from experiments.reporting.tradeoff import draw_tradeoff
from experiments.reporting.waterfall import draw_waterfall
from experiments.statistics import Interval, t_interval
from tests.experiments.generated import write_report

Read = tuple[list[RunRecord], list[Table], Evidence, dict[str, str]]


def read(report: Path) -> Read:
    records = ReportRecords(report)
    ladder, runs = records.ladder(), records.runs()
    results = results_frame(runs)
    tables = ladder_tables(ladder, results, references_frame(ladder))
    return runs, tables, gather(ladder, results, tables), {arm["label"]: arm["title"] for arm in ladder["arms"]}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(write_report(tmp_path_factory.mktemp("both") / "both", "both", seeds=3, points=2))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(write_report(tmp_path_factory.mktemp("single") / "single", "both", seeds=1, points=2))


@pytest.fixture(scope="module")
def factorial(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(
        write_report(tmp_path_factory.mktemp("all") / "all", "factorial", seeds=2, points=2, domains=("a", "b"))
    )


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """What would have been saved."""
    saved: list[Figure] = []
    for module in (waterfall, effects, cost, tradeoff):
        monkeypatch.setattr(module, "save", lambda figure, path: saved.append(figure))
    return saved


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def overlapping(figure: Figure, kind: type[Text]) -> list[tuple[str, str]]:
    """Texts that are drawn over each other."""
    figure.draw_without_rendering()
    # Of the words alone: an annotation's own box holds its line too.
    boxes = [(t.get_text(), Text.get_window_extent(t)) for t in drawn_texts(figure) if isinstance(t, kind)]
    return [
        (one, other)
        for (one, first), (other, second) in combinations(boxes, 2)
        if first.x0 + 1 < second.x1
        and second.x0 + 1 < first.x1
        and first.y0 + 1 < second.y1
        and second.y0 + 1 < first.y1
    ]


def outside(figure: Figure) -> list[str]:
    """Texts that the page's edge cuts."""
    figure.draw_without_rendering()
    page = figure.bbox
    return [
        text.get_text()
        for text in drawn_texts(figure)
        for box in [text.get_tightbbox()]
        if box is not None and (box.x0 < -1 or box.y0 < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1)
    ]


def drawn_texts(figure: Figure) -> list[Text]:
    """Every text that is seen: ticks beyond the end of an axis are not."""
    hidden = {
        id(tick.label1)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    return [text for text in texts if id(text) not in hidden]


def test_the_waterfall_leads_from_the_first_rung_to_the_last(both: Read, figures: list[Figure], tmp_path: Path) -> None:
    _, _, evidence, titles = both
    assert draw_waterfall(evidence, titles, tmp_path / "waterfall.png")
    assert evidence.primary is not None
    table = evidence.primary.table[list("ABCDEF")]
    means = table.mean()
    figure = figures[0]
    assert figure.get_size_inches()[0] == TEXT
    bars = figure.axes[0].patches
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert ends[0] == pytest.approx((0, means["A"])) and ends[-1] == pytest.approx((0, means["F"]))
    assert ends[1:-1] == [pytest.approx((means[before], means[after])) for before, after in pairwise("ABCDEF")]
    # A step's whisker is the interval of its differences, where the step ends.
    step = t_interval((table["B"] - table["A"]).to_numpy())
    lines = [tuple(line.get_xdata()) for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert any(line == pytest.approx((means["A"] + step.low, means["A"] + step.high)) for line in lines)


def test_what_is_resolved_is_said_and_drawn(both: Read, figures: list[Figure], tmp_path: Path) -> None:
    _, _, evidence, titles = both
    draw_waterfall(evidence, titles, tmp_path / "waterfall.png")
    assert evidence.primary is not None
    steps = {(one.before, one.after): one.resolved for one in evidence.primary.contrasts}
    resolved = [steps[pair] for pair in pairwise("ABCDEF")]
    assert True in resolved and False in resolved  # so that both looks are seen
    bars = figures[0].axes[0].patches[1:-1]
    assert [not bar.get_hatch() for bar in bars] == resolved
    said = [text for text in words(figures[0]) if " ± " in text and ", " in text]
    assert [not text.endswith("not resolved") for text in said[: len(resolved)]] == resolved
    # The forest: what F loses without a component is the contrast turned round, with every seed's difference.
    table = evidence.primary.table
    forest = figures[0].axes[1]
    seeds = [sorted(line.get_xdata()) for line in forest.lines if line.get_markersize() == 2.4]
    for left_out, shown in zip(["E", "F-multitask", "F-r1", "F-adain", "F-style"], seeds, strict=True):
        assert shown == pytest.approx(sorted(table[left_out] - table["F"]))


def test_one_seed_has_no_whiskers_and_says_so(single: Read, figures: list[Figure], tmp_path: Path) -> None:
    runs, tables, evidence, titles = single
    assert draw_waterfall(evidence, titles, tmp_path / "a.png")
    assert draw_tradeoff(tables, "ABCDEF", tmp_path / "b.png")
    assert cost.draw_cost(runs, evidence, tmp_path / "c.png")
    for figure in figures:
        assert any("One seed an arm: no intervals" in text for text in words(figure))
        marks = {str(line.get_marker()) for axes in figure.axes for line in axes.lines}
        assert not marks & {"|", "_", "<", ">", "^", "v"}
    assert all(bar.get_hatch() for bar in figures[0].axes[0].patches[1:-1])


def test_designs_without_steps_or_single_changes(figures: list[Figure], tmp_path: Path) -> None:
    _, _, ladder, titles = read(write_report(tmp_path / "ladder", "ladder", seeds=2, points=2, domains=("a", "b")))
    assert draw_waterfall(ladder, titles, tmp_path / "x.png")
    assert figures[0].get_size_inches()[0] == COLUMN and len(figures[0].axes) == 1
    _, _, added, titles = read(write_report(tmp_path / "add", "add_one", seeds=2, points=2, domains=("a", "b")))
    assert draw_waterfall(added, titles, tmp_path / "x.png")
    assert figures[1].get_size_inches()[0] == COLUMN and "A with each component" in words(figures[1])
    _, _, half, titles = read(write_report(tmp_path / "half", "half", seeds=2, points=2, domains=("a", "b")))
    assert not draw_waterfall(half, titles, tmp_path / "x.png")
    assert draw_effects(half, tmp_path / "x.png")
    assert "Main effects" in words(figures[2]) and len(figures[2].axes) == 1


def test_shapley_values_and_interactions(factorial: Read, figures: list[Figure], tmp_path: Path) -> None:
    evidence = factorial[2]
    assert draw_effects(evidence, tmp_path / "attributions.png")
    assert evidence.primary is not None and evidence.primary.shapley is not None
    account = evidence.primary.shapley
    forest, heat = figures[0].axes
    marks = [line.get_xdata()[0] for line in forest.lines if line.get_marker() == "D"]
    assert marks == pytest.approx([one.effect.mean for one in account.contributions])
    cells = np.asarray(heat.images[0].get_array(), dtype=float)
    assert heat.get_xticklabels()[0].get_text() == "multitask" and heat.get_yticklabels()[-1].get_text() == "diversity"
    shown = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in heat.texts}
    assert len(shown) == len(account.interactions) == 15
    names = [one.name for one in account.contributions]
    strongest = max(abs(one.effect.mean) for one in account.interactions if one.effect is not None)
    for one in account.interactions:
        across, down = sorted(names.index(name) for name in one.names)
        assert one.effect is not None
        assert cells[down - 1, across] == pytest.approx(-one.effect.mean / strongest)  # lower is better
        assert shown[down - 1, across].startswith("(") == one.effect.holds(0)
    assert any(f"Averaged over {account.admissible:,} of 720 orders" in text for text in words(figures[0]))
    assert not outside(figures[0]) and not overlapping(figures[0], Text)


def test_attributions_are_the_same_bytes_again(factorial: Read, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert draw_effects(factorial[2], tmp_path / name / "attributions.png")
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two and set(one) == {"attributions.png", "attributions.pdf"}


def test_only_designs_that_share_out_have_attributions(both: Read, tmp_path: Path) -> None:
    assert not draw_effects(both[2], tmp_path / "attributions.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "low, high, direction, finding",
    [
        (-2.0, -1.0, "lower", "better"),
        (-2.0, -1.0, "higher", "worse"),
        (-1.0, 2.0, "lower", "not resolved"),
        (np.nan, np.nan, "lower", "not resolved"),
    ],
)
def test_a_finding_needs_an_interval_without_zero(low: float, high: float, direction: str, finding: str) -> None:
    assert effect_finding(Interval(low, -1.5, high, 3), direction) == finding


def test_cost_stands_against_quality(both: Read, figures: list[Figure], tmp_path: Path) -> None:
    runs, _, evidence, _ = both
    assert cost.draw_cost(runs, evidence, tmp_path / "cost.png")
    assert evidence.primary is not None
    seconds, parameters = figures[0].axes
    own = [run.result.train_seconds for run in runs if run.label == "F"]
    f = evidence.primary.intervals["F"].mean
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in seconds.lines if line.get_marker() == "o"]
    assert len(points) == len(evidence.primary.intervals)
    assert any(point == pytest.approx((np.mean(own) / 60, f)) for point in points)
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in parameters.lines if line.get_marker() == "o"]
    assert any(point == pytest.approx((490_000, f)) for point in points)
    assert seconds.get_xlabel() == "training time of a run (min)"
    spent = cost.spent_by_arm(runs)["F"]
    assert spent.seconds == t_interval(np.array(own)) and spent.parameters == 490_000


def test_quality_and_diversity_have_both_intervals(both: Read, figures: list[Figure], tmp_path: Path) -> None:
    assert draw_tradeoff(both[1], "ABCDEF", tmp_path / "tradeoff.png")
    latent = both[1][0]
    distance, diversity = latent.column("distance"), latent.column("diversity", many=True)
    assert distance is not None and diversity is not None
    cells = next(line for line in latent.arms if line.label == "E").cells
    across, up = (t_interval(np.array(cells[column].values)) for column in (diversity, distance))
    lines = [(tuple(line.get_xdata()), tuple(line.get_ydata())) for line in figures[0].axes[0].lines]
    assert any(x == pytest.approx((across.low, across.high)) and y == pytest.approx((up.mean,) * 2) for x, y in lines)
    assert any(y == pytest.approx((up.low, up.high)) and x == pytest.approx((across.mean,) * 2) for x, y in lines)


@pytest.mark.parametrize("name", ["both", "single", "factorial"])
def test_no_text_covers_another_or_leaves_the_page(
    name: str, request: pytest.FixtureRequest, figures: list[Figure], tmp_path: Path
) -> None:
    runs, tables, evidence, titles = request.getfixturevalue(name)
    assert draw_waterfall(evidence, titles, tmp_path / "a.png")
    assert draw_tradeoff(tables, "ABCDEF", tmp_path / "b.png")
    assert cost.draw_cost(runs, evidence, tmp_path / "c.png")
    for figure in figures:
        assert not outside(figure)
        assert not overlapping(figure, Annotation)
        assert all(text.get_size() >= SMALL for text in figure.findobj(Text))
    assert not overlapping(figures[0], Text)
