"""The page as a file: what is in it, and that nothing from the records can be more than text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.experiments.page.pages import HOSTILE, Outline, make_page, script_data, write_page

ORDER = (
    *("verdict", "ladder", "contributions", "tradeoff", "pictures", "interpolations", "curves", "attributions"),
    *("tuning", "cost", "failures", "changes", "runs", "judge", "environment", "reading"),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    changes = {
        "title": HOSTILE[0],
        "notes": [HOSTILE[2]],
        "failures": [{"label": "A", "seed": 7, "reason": HOSTILE[2], "log": "x"}],
    }
    return make_page(tmp_path_factory.mktemp("page") / "hostile", seeds=2, domains=HOSTILE, points=20, **changes)


def test_sections_stand_in_order_and_in_the_contents(hostile: Path) -> None:
    outline = Outline(hostile)
    assert outline.sections == [key for key in ORDER if key in outline.sections]
    assert {"verdict", "ladder", "contributions", "tradeoff", "pictures", "curves", "cost", "failures"} <= set(
        outline.sections
    )
    links = [link["href"] for link in outline.all("a")]
    assert [f"#{key}" for key in outline.sections] == [link for link in links if link[1:] in ORDER]


def test_names_are_only_ever_text(hostile: Path) -> None:
    outline, text = Outline(hostile), hostile.read_text(encoding="utf-8")
    assert len(outline.all("script")) == 4  # early, data, Bokeh's, the page's
    assert not [name for _, attributes in outline.elements for name in attributes if name.startswith("on")]
    assert HOSTILE[0] not in text and HOSTILE[2] not in text
    assert script_data(hostile)["pictures"]["guides"]["latent"]["domains"] == list(HOSTILE)
    policy = next(meta["content"] for meta in outline.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'") and policy.count("'sha256-") == 3
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_headings_images_and_links_are_in_order(hostile: Path) -> None:
    outline = Outline(hostile)
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
    assert all(image["alt"] for image in outline.all("img"))
    assert all(plot["aria-label"] for plot in outline.all("div") if "data-plot" in plot)
    ids = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    assert len(ids) == len([1 for _, attributes in outline.elements if "id" in attributes])
    for link in (link["href"] for link in outline.all("a")):
        if link.startswith("#"):
            assert link[1:] in ids, link
        elif link.startswith("records/"):
            assert (hostile.parent / link).is_file(), link
        else:
            assert re.fullmatch(r"report\.md|tables/[\w.]+", link), link


def test_a_number_leads_to_its_runs(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    row = text.partition('data-value="F-adain"')[2].partition("</tr>")[0]
    anchor = re.findall(r'href="#(runs-\d+)"', row)
    assert len(set(anchor)) == 1 and len(anchor) == 6
    runs = text.partition(f'<details id="{anchor[0]}"')[2].partition("</details>")[0]
    assert re.findall(r'href="(records/[^"]+)"', runs) == [f"records/F-adain-s{n}/result.json" for n in (0, 1)]


def test_the_same_records_give_the_same_bytes(hostile: Path) -> None:
    before = hostile.read_bytes()
    assert write_page(hostile.parent).read_bytes() == before


def test_one_seed_has_no_interval_and_no_winner(tmp_path: Path) -> None:
    page = make_page(tmp_path / "one", "ladder", 1, points=20)
    text = page.read_text(encoding="utf-8")
    assert "One seed: a difference has no interval" in text and "undecided at one seed" in text
    assert "<small>[" not in text.partition('id="ladder"')[2].partition("</section>")[0]
    roles = [
        role
        for plot in script_data(page)["plots"]
        for role in re.findall(r'"role", \[([^\]]*)\]', str(plot).replace("'", '"'))
    ]
    assert roles and not [role for role in roles if "better" in role or "worse" in role]


def test_without_a_finished_run_the_page_says_so(tmp_path: Path) -> None:
    page = make_page(tmp_path / "none", "ladder", 1, finished=False)
    outline = Outline(page)
    assert outline.sections == ["verdict", "failures", "changes", "judge", "reading"]
    assert "No run has finished" in page.read_text(encoding="utf-8")
    assert len(outline.all("script")) == 3  # nothing to plot: without Bokeh's


def test_a_factorial_design_has_its_shares_and_its_rules(tmp_path: Path) -> None:
    page = make_page(tmp_path / "factorial", "factorial", 2, points=20)
    outline, text = Outline(page), page.read_text(encoding="utf-8")
    assert outline.sections == [key for key in ORDER if key not in ("interpolations", "tuning")]
    assert "Combinations that cannot run" in text and "Shapley values" in text
    assert {"share-0", "pair-0"} <= {plot["key"] for plot in script_data(page)["plots"]}
    assert len(page.read_bytes()) < 5_000_000
