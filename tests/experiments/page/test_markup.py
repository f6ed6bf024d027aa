from __future__ import annotations

import pytest

from experiments.page.markup import block, inline
from experiments.reporting.labels import markdown_code, markdown_text
from experiments.reporting.tables import markdown_table

HOSTILE = ["<b>&amp;", "a|b\\|c\\", "**x** *y* `z`", "[a](b)", "</script>", "<br>", "<sub>1</sub>", "$a_b~c#!"]


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_comes_back_as_text(text: str) -> None:
    """As a browser shows it: markup off, entities read."""
    from html import unescape

    shown = str(inline(markdown_text(text)))
    assert "<" not in shown and unescape(shown) == text
    code = str(inline(markdown_code(text)))
    assert code.startswith("<code>") and unescape(code[6:-7]) == text
    cells = str(block(markdown_table(["", "n"], [[markdown_text(text), "1"]])))
    assert unescape(cells.split('<th scope="row" class="text">')[1].split("</th>")[0]) == text


def test_what_reporting_writes_is_known() -> None:
    assert str(inline("**a *b* f** c<br><sub>d</sub> `e`")) == (
        "<strong>a <em>b</em> f</strong> c<br><small>d</small> <code>e</code>"
    )
    assert str(inline("[f](tables/f.csv)")) == '<a href="tables/f.csv">f</a>'
    assert str(block("one\ntwo\n\n- three\n- **four**")) == (
        "<p>one two</p>\n<ul><li>three</li><li><strong>four</strong></li></ul>"
    )


def test_raw_markup_stays_text() -> None:
    assert str(inline("<img src=x onerror=y>")) == "&lt;img src=x onerror=y&gt;"
    assert "<a" not in str(inline("[x](javascript:alert(1))"))


def test_tables_have_heads_and_sides() -> None:
    table = str(block("| | n |\n| :-- | --: |\n| a | 1 |"))
    assert '<td class="text"></td><th scope="col" class="number">n</th>' in table
    assert '<th scope="row" class="text">a</th><td class="number">1</td>' in table
