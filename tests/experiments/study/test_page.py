"""The page in a real browser: answered by keyboard, kept over a reload, saved and tallied; quiet, at any width."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from experiments.report_records import ReportRecords
from experiments.study.__main__ import main
from experiments.study.key import Key
from experiments.study.result import study_of
from tests.browser import Browser, Visit
from tests.experiments.study.conftest import Choose, Lab, fails, prefers

CHOOSABLE = "#question:not([hidden]) #options[aria-busy=false]"

Study = tuple[Path, Key]


@pytest.fixture
def study(lab: Lab) -> Study:
    """The page of 12 questions with 2 checks, and its key."""
    out, key = lab.make("questions=12", "contact=maria@example.org")
    return out / "study.html", key


def start(visit: Visit, name: str) -> None:
    visit.page.fill("#name", name)
    visit.page.check("#agree")
    visit.page.click("#consent button")


def options(visit: Visit) -> list[str]:
    """The ids of the options that are shown, once they can be chosen; [] where no question is shown."""
    visit.page.wait_for_selector(f"{CHOOSABLE}, #intro:not([hidden]), #end:not([hidden])")
    return visit.page.eval_on_selector_all(
        "#question:not([hidden]) [data-option]", "all => all.map(b => b.dataset.option)"
    )


def question_of(key: Key, shown: list[str]) -> str:
    return next(id_ for id_, asked in key.asked.items() if set(asked.shows) == set(shown))


def answer(visit: Visit, key: Key, choose: Choose, most: int = 1000) -> list[str]:
    """Answer by keyboard; the ids of the questions in the order in which they came."""
    asked: list[str] = []
    while len(asked) < most:
        if visit.page.is_visible("#intro"):
            visit.page.keyboard.press("Enter")
        shown = options(visit)
        if not shown:
            if visit.page.is_visible("#end"):
                break
            continue
        asked.append(question_of(key, shown))
        visit.page.keyboard.press(str(1 + shown.index(choose(asked[-1], dict(key.asked[asked[-1]].shows)))))
        options(visit)
    return asked


def recorded(visit: Visit) -> Any:
    return visit.page.evaluate("rater")


def save(visit: Visit, button: str, folder: Path) -> Path:
    with visit.page.expect_download() as waiting:
        visit.page.click(button)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_answered_by_keyboard_and_tallied(browser: Browser, lab: Lab, study: Study, tmp_path: Path) -> None:
    page, key = study
    orders = []
    for name, choose in (("anna", prefers("FEDA")), ("dora", fails)):
        visit = browser.open(page)
        start(visit, name)
        orders.append(answer(visit, key, choose))
        assert sorted(orders[-1]) == sorted(key.asked)
        saved = save(visit, "#save", tmp_path / "in")
        assert saved.name.startswith(f"answers-{key.id}-{name}-")
        assert (visit.problems, visit.requests) == ([], [])
        content = json.loads(saved.read_text())
        assert (content["study"], content["hash"], content["finished"]) == (key.id, key.hash, True)
        assert [given["question"] for given in content["answers"]] == orders[-1]
        assert all(0 < given["seconds"] < 30 for given in content["answers"])
        text = saved.read_text()
        assert not any(f'"{word}"' in text for word in ("A", "D", "E", "F", "real", "noise"))
    assert orders[0] != orders[1]
    kinds = [key.asked[question].kind for question in orders[0]]
    assert kinds == sorted(kinds)  # quality, then style
    assert main(["tally", str(tmp_path / "in"), f"reports={lab.reports}"]) == 0
    found = study_of(ReportRecords(lab.report))
    assert found is not None and (found.raters, found.dropped) == (1, 1)
    assert [tally.shares["F"].interval.mean for tally in found.tallies] == [1, 1]
    assert found.tallies[0].shares["A"].interval.mean == 0
    report = (lab.report / "report.md").read_text()
    assert "## What people chose" in report and "anna" not in report and "dora" not in report
    assert "[study.tex](tables/study.tex)" in report


def test_a_closed_page_loses_nothing(browser: Browser, study: Study, tmp_path: Path) -> None:
    page, key = study
    visit = browser.open(page)
    start(visit, "anna")
    answer(visit, key, prefers("FEDA"), most=5)
    before = recorded(visit)
    visit.page.reload()
    visit.page.wait_for_selector("#back h1:has-text('Welcome back, anna')")
    assert "5 of 14" in visit.page.inner_text("#back .lead")
    visit.page.click("#continue")
    assert recorded(visit) == before
    rest = answer(visit, key, prefers("FEDA"))
    assert [*(given["question"] for given in before["answers"]), *rest] == before["order"]
    assert len(json.loads(save(visit, "#save", tmp_path).read_text())["answers"]) == 14
    visit.page.click("#next-rater")
    visit.page.click("#forget button[value=keep]")
    assert visit.page.is_visible("#end")
    visit.page.click("#next-rater")
    visit.page.click("#forget button[value=forget]")
    visit.page.wait_for_selector("#start")
    assert recorded(visit) is None
    visit.page.reload()
    assert visit.page.is_visible("#start")
    assert visit.problems == []


def test_undo_asks_again_and_half_a_study_can_be_saved(browser: Browser, study: Study, tmp_path: Path) -> None:
    page, key = study
    visit = browser.open(page)
    start(visit, "anna <b>")
    asked = answer(visit, key, prefers("FEDA"), most=2)
    first = recorded(visit)["answers"]
    visit.page.keyboard.press("Backspace")
    shown = options(visit)
    assert question_of(key, shown) == asked[1] and len(recorded(visit)["answers"]) == 1
    visit.page.keyboard.press("9")  # no such picture
    assert len(recorded(visit)["answers"]) == 1
    answer(visit, key, prefers("ADEF"), most=1)
    again = json.loads(save(visit, "#save-now", tmp_path).read_text())
    assert again["answers"][0] == first[0] and again["answers"][1]["choice"] != first[1]["choice"]
    assert again["answers"][1]["seconds"] > first[1]["seconds"]
    assert (again["finished"], again["rater"]["name"]) == (False, "anna <b>")
    visit.page.click("#undo")
    assert len(recorded(visit)["answers"]) == 1
    assert visit.problems == []


def test_every_rater_has_an_order_and_places_of_his_own(browser: Browser, study: Study) -> None:
    page, key = study
    orders, places = set(), Counter[int]()
    for _ in range(4):
        visit = browser.open(page)
        start(visit, "anna")
        orders.add(tuple(recorded(visit)["order"]))
        for shown in visit.page.evaluate("[...questions.values()].map(q => shuffled(q.options).map(o => o.id))"):
            shows = key.asked[question_of(key, shown)].shows
            places[[shows[option] for option in shown].index("F" if "F" in shows.values() else "real")] += 1
    assert len(orders) == 4
    assert {0, 1, 2, 3} == set(places)


@pytest.mark.parametrize("width, height, dark", [(360, 640, True), (900, 800, False), (1600, 900, True)])
def test_a_question_fits_the_window(browser: Browser, study: Study, width: int, height: int, dark: bool) -> None:
    page, key = study
    visit = browser.open(page, width=width, height=height, dark=dark)
    assert visit.overflow == 0
    start(visit, "anna")
    answer(visit, key, prefers("F"), most=1)
    assert len(options(visit)) >= 2
    assert visit.overflow == 0
    assert visit.page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
    sides = visit.page.eval_on_selector_all(
        "#question img", "all => all.map(i => [i.width, i.height]).filter(s => s[0])"
    )
    assert len({tuple(side) for side in sides}) == 1
    assert sides[0][0] >= 96 and sides[0][0] % 16 == 0  # whole multiples of 16 px, each pixel a square
    shown = visit.page.eval_on_selector("#options img", "image => getComputedStyle(image).imageRendering")
    assert shown == "pixelated"
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(27, 27, 27)") == dark


def test_nobody_starts_without_consent(browser: Browser, study: Study) -> None:
    visit = browser.open(study[0])
    visit.page.fill("#name", "anna")
    visit.page.click("#consent button")
    assert visit.page.is_visible("#start") and recorded(visit) is None
    assert "maria@example.org" in visit.page.inner_text("#start")
