"""The Markdown that `reporting` writes, as HTML: the page says what report.md says, in the same words.

Only what is written there is known: paragraphs, lists, tables, code, bold, slanted, links, `<br>`, `<sub>` and escapes.
Whatever else looks like markup stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_INLINE = re.compile(
    r"""
      \\(?P<escaped>.)
    | (?P<entity>&(?:amp|lt|gt);)
    | (?P<fence>`+)[ ]?(?P<code>.+?)[ ]?(?P=fence)
    | \*\*(?P<bold>(?:\\.|[^\\])+?)\*\*
    | \*(?P<slanted>(?:\\.|[^\\*]|\*\*)+?)\*
    | \[(?P<words>(?:\\.|[^\\\]])+)\]\((?P<address>[\w./-]+)\)
    | (?P<newline><br>)
    | <sub>(?P<small>.*?)</sub>
    """,
    re.VERBOSE,
)
_CELL = re.compile(r"(?:\\.|[^\\|])+")


def block(text: str) -> Markup:
    """Paragraphs, lists and tables, each parted from the next by an empty line."""
    return Markup("\n").join(_part(part.strip("\n")) for part in re.split(r"\n{2,}", text.strip()) if part)


def inline(text: str) -> Markup:
    """One line or paragraph, without a block around it."""
    return Markup("").join(_pieces(text))


def _part(text: str) -> Markup:
    lines = text.splitlines()
    if lines[0].startswith("|"):
        return _table(lines)
    if lines[0].startswith("- "):
        items = Markup("").join(Markup("<li>{}</li>").format(inline(line.removeprefix("- "))) for line in lines)
        return Markup("<ul>{}</ul>").format(items)
    return Markup("<p>{}</p>").format(inline(" ".join(lines)))


def _pieces(text: str) -> Iterator[Markup]:
    end = 0
    for found in _INLINE.finditer(text):
        yield escape(text[end : found.start()])
        yield _piece(found)
        end = found.end()
    yield escape(text[end:])


def _piece(found: re.Match[str]) -> Markup:
    groups = found.groupdict()
    if groups["escaped"] is not None:
        return escape(groups["escaped"])
    if groups["entity"] is not None:
        return Markup(groups["entity"])
    if groups["code"] is not None:
        return Markup("<code>{}</code>").format(groups["code"])
    if groups["words"] is not None:
        return Markup('<a href="{}">{}</a>').format(groups["address"], inline(groups["words"]))
    for group, form in (("bold", "<strong>{}</strong>"), ("slanted", "<em>{}</em>"), ("small", "<small>{}</small>")):
        if groups[group] is not None:
            return Markup(form).format(inline(groups[group]))
    return Markup("<br>")


def _table(lines: list[str]) -> Markup:
    head, ways, *body = [_cells(line) for line in lines]
    sides = ["text" if way.startswith(":") else "number" for way in ways]
    top = Markup("").join(
        Markup('<th scope="col" class="{}">{}</th>').format(side, inline(cell))
        if cell
        else Markup('<td class="{}"></td>').format(side)
        for side, cell in zip(sides, head, strict=True)
    )
    rows = Markup("\n").join(_row(cells, sides) for cells in body)
    return Markup(
        '<div class="scroll"><table class="plain"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(top, rows)


def _row(cells: list[str], sides: list[str]) -> Markup:
    """The first cell says what the row is about."""
    parts = [
        Markup('<th scope="row" class="{}">{}</th>' if number == 0 and cell else '<td class="{}">{}</td>').format(
            side, inline(cell)
        )
        for number, (side, cell) in enumerate(zip(sides, cells, strict=True))
    ]
    return Markup("<tr>{}</tr>").format(Markup("").join(parts))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.findall(line.strip().removeprefix("|"))]
