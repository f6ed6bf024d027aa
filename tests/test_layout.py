"""The shape of the project, read from its syntax trees: imports run one way, files stay short, help needs no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ablations", "core", "experiments")
FOLDERS = {*PACKAGES, "docs", "reports", "tests"}
MADE_FOLDERS = {"runs", "build", "dist", "__pycache__"}  # by running or installing; git ignores them
LONGEST_FILE = 300  # lines

# What the files under each name may import of the project, besides their own package. The longest name decides.
MAY_IMPORT = {
    "core": (),
    "core.errors": (),
    "core.settings": (),
    "core.rules": ("core.settings",),
    "core.config": ("core.errors", "core.settings", "core.rules"),
    "core.migrations": ("core.config", "core.errors"),
    "core.runtime": ("core.errors",),
    "core.data": ("core.runtime", "core.errors"),
    "core.metrics": ("core.runtime", "core.errors", "core.data.images"),
    "core.model": ("core.config", "core.runtime", "core.errors"),
    "core.losses": ("core.config", "core.runtime", "core.errors", "core.model", "core.data.batches"),
    "core.training": ("core.config", "core.runtime", "core.errors", "core.model", "core.losses", "core.data"),
    "core.interop": ("core.config", "core.runtime", "core.errors", "core.model"),
    "core.released": ("core.errors", "core.released_stargan"),
    "core.released_stargan": ("core.errors",),
    "ablations": ("core.config", "core.settings", "core.errors"),
    "experiments": ("core", "ablations"),
}
# Read before a run starts and by `--help`: plain data.
WITHOUT_TORCH = (
    *("ablations", "core.config", "core.migrations", "core.rules", "core.settings", "core.errors"),
    *("experiments.statistics", "experiments.robust", "experiments.sample_size"),
    *("experiments.attribution", "experiments.verdict"),
)

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Every imported name in full, wherever in the file: `from core.data import images` gives core.data.images."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def layer_of(name: str) -> str:
    return max((layer for layer in MAY_IMPORT if within(name, (layer,))), key=len)


def entry_modules() -> list[str]:
    """What a person runs: `experiments.preflight` is for engines alone."""
    files = [path for path in SOURCES if path.parent.name == "experiments" and "__main__" in path.read_text()]
    return [*map(module_name, files), "experiments.study"]


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_one_way(path: Path) -> None:
    layer = layer_of(module_name(path))
    allowed = MAY_IMPORT[layer] if layer == "core" else (layer, *MAY_IMPORT[layer])
    wrong = [name for name in imported(path) if within(name, PACKAGES) and not within(name, allowed)]
    assert wrong == [], f"{layer} may import only {allowed}"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_plain_data_never_imports_torch(path: Path) -> None:
    if within(module_name(path), WITHOUT_TORCH):
        assert [name for name in imported(path) if within(name, ("torch", "torchvision"))] == []


def test_every_module_of_core_has_a_layer() -> None:
    unplaced = [name for path in SOURCES if layer_of(name := module_name(path)) == "core" and name != "core"]
    assert unplaced == [], "say in MAY_IMPORT what they may import"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_folders_of_code_are_packages() -> None:
    assert {path.parent for path in SOURCES} == {path.parent for path in SOURCES if path.name == "__init__.py"}


def test_top_level_holds_only_the_known_folders() -> None:
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert {name for name in found - MADE_FOLDERS if not name.endswith(".egg-info")} <= FOLDERS


@pytest.mark.parametrize("module", entry_modules())
def test_help_imports_no_torch(module: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", module, "--help"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "usage" in finished.stdout.lower()
    # Lines of the form `import time:  self [us] | cumulative | module`.
    lines = [line for line in finished.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rsplit("|", 1)[-1].strip() for line in lines}
    assert "experiments" in modules  # so the list is of what was imported
    assert not {"torch", "torchvision"} & modules
