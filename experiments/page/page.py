"""index.html: the whole report as one file that works from a disk, without a network and with nothing installed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from experiments.page.charts import Chart, script_item
from experiments.page.markup import block, inline
from experiments.page.palette import variables
from experiments.page.sections import sections
from experiments.report_records import RunRecord
from experiments.reporting.evidence import Evidence
from experiments.reporting.outcomes import Hole
from experiments.reporting.summary import Table

HERE = Path(__file__).parent
STYLES = ("base", "tables", "pictures", "print")
SCRIPTS = ("common", "theme", "sorting", "variants", "plots", "curves", "zoom", "pictures", "contents", "main")


def render(
    ladder: Mapping[str, Any],
    runs: Sequence[RunRecord],
    tables: Sequence[Table],
    evidence: Evidence,
    missing: Sequence[Hole],
    files: Sequence[str] = (),
    tuning: Mapping[str, Any] | None = None,
) -> str:
    """The page. missing: the runs that the report lacks. files: the names of those in tables/.

    tuning: of `experiments.tuning.arms.compared`, where arms were tuned.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"md": block, "md_line": inline}
    found, data = sections(ladder, runs, tables, evidence, missing, tuning)
    charts = [chart for section in found for chart in section.charts]
    scripts = {
        "early": _text("scripts/early.js"),
        "bokeh": _bokeh() if charts else "",
        "page": "\n".join(_text(f"scripts/{name}.js") for name in SCRIPTS),
    }
    return environment.get_template("index.html.j2").render(
        name=ladder["name"],
        title=ladder["title"],
        sections=found,
        files=files,
        style=Markup(_style()),
        scripts={name: Markup(script) for name, script in scripts.items()},
        policy=_policy(scripts.values()),
        data=_json({**data, "plots": [_item(chart) for chart in charts]}),
    )


def _item(chart: Chart) -> dict[str, Any]:
    return {"key": chart.key, "item": script_item(chart)}


def _style() -> str:
    return "\n".join([":root {", variables(), "}", *(_text(f"styles/{name}.css") for name in STYLES)])


def _policy(scripts: Iterable[str]) -> str:
    """Only these scripts run, whatever the data hold, and nothing is fetched. Bokeh styles its plots as it draws."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
        if script
    )
    return f"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src {hashes}"


def _json(data: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    return htmlsafe_json_dumps(data, separators=(",", ":"), ensure_ascii=False)


def _bokeh() -> str:
    """BokehJS's core, without widgets and tables, from the package: of the version that made the plots."""
    return (files_of("bokeh") / "server" / "static" / "js" / "bokeh.min.js").read_text(encoding="utf-8")


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
