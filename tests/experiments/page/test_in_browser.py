"""The page as a reader uses it, in a real browser: by mouse and keyboard, on a telephone, in the dark, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser, Visit
from tests.experiments.page.pages import HOSTILE, make_page

# Every control has a name, every image a text, and what is hidden from listeners cannot be reached by keyboard.
NAMELESS = """() => [...document.querySelectorAll("button, select, input, summary, a, img")].filter((one) => {
  const labels = [...(one.labels ?? [])].map((label) => label.textContent).join("");
  const name = one.ariaLabel || one.alt || one.textContent.trim() || labels;
  return !name || (one.tabIndex >= 0 && one.closest("[aria-hidden=true], [role=img]"));
}).map((one) => one.outerHTML.slice(0, 200))"""
# Text with too little contrast to the ground under it (WCAG AA), as it is now.
FAINT = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const curve = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parts(colour).map((v) => curve(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return parts(colour)[3] === 0 ? ground(one.parentElement) : colour;
  };
  const own = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll("body *")].filter((one) => own(one) && one.checkVisibility()).filter((one) => {
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5 && !one.disabled;
  }).map((one) => one.outerHTML.slice(0, 120));
}"""
PIXEL = "(canvas) => canvas.toDataURL()"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_page(tmp_path_factory.mktemp("page") / "hostile", seeds=2, domains=HOSTILE, points=20)


def reach(visit: Visit, section: str) -> Any:
    """Scroll to a section and wait for its first plot that shows, if it has any."""
    visit.page.evaluate("key => document.getElementById(key).scrollIntoView({behavior: 'instant'})", section)
    shown = visit.page.locator(f"#{section} .plot:visible")
    if shown.count():
        shown.first.scroll_into_view_if_needed()
        visit.page.wait_for_selector(f"#{section} .plot[data-drawn]")
    return visit.page.locator(f"#{section}")


def test_it_is_quiet_and_every_control_has_a_name(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile)
    for section in ("contributions", "tradeoff", "curves", "cost"):
        assert reach(visit, section).locator(".plot[data-drawn] >> canvas").count() > 0
    assert visit.page.evaluate("window.taken") is None
    assert visit.page.evaluate(NAMELESS) == []
    assert visit.page.evaluate(FAINT) == []
    assert (visit.problems, visit.requests) == ([], [])


def test_the_picture_choosers_choose(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile)
    grid = reach(visit, "pictures").locator("#grid table")
    grid.wait_for()

    def look() -> tuple[list[str], str, list[str]]:
        heads = grid.locator("thead .label").all_inner_texts()
        pixels = [canvas.evaluate(PIXEL) for canvas in grid.locator("button canvas").all()[:4]]
        return heads, grid.locator("caption").inner_text(), pixels

    heads, caption, pixels = look()
    assert heads == list("ABCDEF") and "seed 0" in caption and HOSTILE[0] in caption
    visit.page.select_option("#grid-domain", "1")
    other = look()
    assert other[0] == heads and HOSTILE[1] in other[1] and other[2] != pixels
    visit.page.select_option("#grid-seed", "1")
    assert "seed 1" in look()[1] and look()[2] != other[2]
    visit.page.get_by_role("checkbox", name="B: + multi-task discriminator").first.press("Space")
    assert look()[0] == list("ACDEF")
    assert "5 arms" in visit.page.inner_text("#spoken")
    visit.page.select_option("#grid-guide", "reference")
    assert look()[0] == ["E", "F"] and "references" in look()[1]
    assert visit.problems == []


def test_a_tile_is_enlarged_by_keyboard_alone(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile)
    tile = reach(visit, "pictures").locator("#grid button").first
    tile.focus()
    visit.page.keyboard.press("Enter")
    dialog = visit.page.get_by_role("dialog")
    title = dialog.locator("#zoom-title").inner_text()
    assert title.startswith("A: ") and "latent 1" in title
    assert dialog.locator("canvas").count() == 2
    visit.page.keyboard.press("ArrowRight")
    assert "latent 2" in dialog.locator("#zoom-title").inner_text()
    visit.page.keyboard.press("Escape")
    assert dialog.count() == 0
    assert visit.page.evaluate("document.activeElement.ariaLabel") == f"Enlarge {title}"


def test_tables_sort_by_keyboard_and_say_so(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile)
    table = visit.page.locator("table.ladder").first

    def column() -> list[float]:
        cells = table.locator("tbody tr td:nth-child(3)").all()
        return [float(cell.get_attribute("data-value") or "nan") for cell in cells]

    before = column()
    heading = table.locator("thead th").nth(2)
    heading.get_by_role("button").focus()
    visit.page.keyboard.press("Enter")
    assert column() == sorted(before) and before != sorted(before)
    assert heading.get_attribute("aria-sort") == "ascending"
    assert visit.page.inner_text("#spoken") == "Sorted by judge Fréchet, 1 output, ascending"
    visit.page.keyboard.press("Enter")
    assert column() == sorted(before, reverse=True) and heading.get_attribute("aria-sort") == "descending"
    visit.page.keyboard.press("Enter")
    assert column() == before and heading.get_attribute("aria-sort") is None


def test_a_number_opens_its_runs(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile)
    visit.page.locator("table.ladder tbody tr").nth(5).locator("a").first.click()
    opened = visit.page.locator("#runs details[open]")
    opened.wait_for()
    assert opened.locator("summary").inner_text().startswith("F")
    assert opened.locator("tbody tr").count() == 2


def test_plots_follow_the_theme(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile, dark=True)
    reach(visit, "contributions")

    def colours() -> list[str]:
        found: list[str] = visit.page.evaluate(
            """() => Bokeh.documents.flatMap((one) => one.roots()).flatMap((root) => [...root.references()])
            .flatMap((one) => [one.axis_label_text_color, ...(one.data?.colour ?? [])]).filter(Boolean)"""
        )
        return sorted(set(found))

    ground, dark = visit.page.evaluate("getComputedStyle(document.body).backgroundColor"), colours()
    assert ground == "rgb(21, 24, 28)" and "rgb(230, 232, 234)" in dark
    assert visit.page.evaluate(FAINT) == []
    button = visit.page.get_by_role("button", name="Dark")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert "rgb(28, 32, 36)" in colours() and not set(colours()) & set(dark)
    assert button.get_attribute("aria-pressed") == "false" and visit.problems == []


def test_curves_and_metrics_are_chosen(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile)
    curves = reach(visit, "curves")
    plot = curves.locator(".plot")
    names = """() => Bokeh.documents.flatMap((one) => one.roots()).flatMap((root) => [...root.references()])
        .find((one) => one.name === "curves").data.name"""
    visit.page.wait_for_function(f"({names})().length === 12")
    curves.get_by_role("checkbox", name="A: Baseline StarGAN").uncheck()
    visit.page.wait_for_function(f"({names})().length === 10")
    visit.page.select_option("#curve-term", label="D adversarial, reference-guided")
    visit.page.wait_for_function(f"({names})().length === 4")
    assert "reference-guided" in (plot.get_attribute("aria-label") or "")
    assert visit.page.locator("#curve-numbers tbody tr").count() == 4
    steps = visit.page.locator("#contributions .variants").first
    steps.scroll_into_view_if_needed()
    steps.locator("select").select_option(index=1)
    assert steps.locator(".variant:visible").get_attribute("data-name") == "judge Fréchet, 10 outputs ↓"
    steps.locator(".variant:visible .plot[data-drawn]").wait_for()


@pytest.mark.parametrize("width", [360, 900])
def test_nothing_is_wider_than_the_window(browser: Browser, hostile: Path, width: int) -> None:
    visit = browser.open(hostile, width=width)
    for section in ("contributions", "pictures", "curves"):
        reach(visit, section)
    visit.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert visit.overflow == 0


def test_without_its_script_the_page_still_tells(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile, javascript=False)
    assert visit.page.locator(".conclusion").first.is_visible()
    assert visit.page.locator("table.ladder").first.is_visible()
    assert visit.page.locator(".sheets img").first.is_visible()
    assert not visit.page.locator(".chooser:visible, .plot:visible, #theme:visible").count()


def test_paper_has_no_choosers_and_everything_open(browser: Browser, hostile: Path) -> None:
    visit = browser.open(hostile, width=700, dark=True, media="print")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not visit.page.locator(".chooser:visible, .contents:visible, #theme:visible, .choice:visible").count()
    closed = visit.page.locator("#verdict details:not([open]) p").first
    assert closed.is_visible()
    assert visit.page.pdf(format="A4").startswith(b"%PDF")


def test_forty_arms_and_no_arm_at_all(browser: Browser, tmp_path: Path) -> None:
    many = browser.open(make_page(tmp_path / "many", "factorial", 1, points=10), width=360)
    reach(many, "attributions")
    assert many.page.locator('[data-chips="grid"] input').count() >= 36
    assert (many.problems, many.overflow) == ([], 0)
    none = browser.open(make_page(tmp_path / "none", "ladder", 1, finished=False), width=360)
    assert none.page.locator(".empty").inner_text().startswith("No run has finished")
    assert (none.problems, none.overflow) == ([], 0)
