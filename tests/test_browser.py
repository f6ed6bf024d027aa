"""The browser that other tests trust sees what a page does wrong."""

from __future__ import annotations

from pathlib import Path

from tests.browser import Browser

BAD = """<!doctype html><meta charset="utf-8"><title>bad</title><div style="width: 700px">wide</div>
<img src="missing.png" alt=""><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="">
<script>console.log("fine"); console.error("said"); fetch("https://example.org/data").catch(() => {});
document.title = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
throw new Error("thrown")</script>
"""


def test_errors_and_requests_are_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "bad page.html"
    page.write_text(BAD)
    visit = browser.open(page, width=600, dark=True)
    visit.page.wait_for_timeout(50)
    assert visit.page.title() == "dark"
    assert any("said" in problem for problem in visit.problems)
    assert any("thrown" in problem for problem in visit.problems)
    assert not any("fine" in problem for problem in visit.problems)
    assert sorted(visit.requests) == [(tmp_path / "missing.png").as_uri(), "https://example.org/data"]
    assert 100 <= visit.overflow <= 120


def test_a_quiet_page_is_quiet(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "good.html"
    page.write_text('<!doctype html><meta charset="utf-8"><title>good</title><a href="#end">on</a><p id="end">end</p>')
    visit = browser.open(page)
    visit.page.click("a")
    assert (visit.problems, visit.requests, visit.overflow) == ([], [], 0)
