"""A real Chromium without a window, and what a page does in it: its errors and whatever it asks a network for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120_000  # milliseconds until a click or a wait has failed: a busy machine is slow


@dataclass
class Visit:
    """A page that is open, as a person with this window sees it."""

    page: Any  # playwright.sync_api.Page
    problems: list[str] = field(default_factory=list)  # warnings and errors on the console, and uncaught errors
    requests: list[str] = field(default_factory=list)  # for anything but the opened file and what lies inside it

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


class Browser:
    """Opens files, each in a window of its own that keeps nothing of the others."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self._contexts: list[Any] = []

    def open(
        self,
        path: Path,
        *,
        width: int = 1200,
        height: int = 900,
        dark: bool = False,
        media: Literal["screen", "print"] = "screen",
        javascript: bool = True,
        **options: Any,
    ) -> Visit:
        """Open a file and wait until it has loaded. options: of playwright's `Browser.new_context`."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            offline=True,  # what is asked for all the same is still seen
            **options,
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.emulate_media(media=media)
        visit = Visit(page)
        address = path.resolve().as_uri()
        page.on("console", lambda message: _note(visit, message))
        page.on("pageerror", lambda error: visit.problems.append(str(error)))
        page.on("request", lambda request: _ask(visit, request.url, address))
        page.goto(address)
        return visit

    def close_pages(self) -> None:
        """Close every window."""
        while self._contexts:
            self._contexts.pop().close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a file of tests. Not one for all: while it runs, this thread holds an event loop that others meet."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, Debian's Chromium starts only without its sandbox; what it opens here are our own pages.
        started = playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        try:
            yield Browser(started)
        finally:
            started.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser, for one test: its windows are closed afterwards."""
    yield chromium
    chromium.close_pages()


def _note(visit: Visit, message: Any) -> None:
    if message.type in ("warning", "error"):
        visit.problems.append(f"{message.type}: {message.text}")


def _ask(visit: Visit, url: str, address: str) -> None:
    if url.split("#")[0] != address and not url.startswith(("data:", "blob:")):
        visit.requests.append(url)
