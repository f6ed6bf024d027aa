"""The declared dependencies are what is installed, what conda installs, and what the code imports."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import experiments.tracking  # noqa: F401  (Sacred is imported through it: it mends what Sacred misses in new Pythons)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGES = ("ablations", "core", "experiments")
# The module that stands for a distribution, where its name does not say it or a deeper one is what we use.
MODULES = {
    "pillow": "PIL.Image",
    "psycopg2-binary": "psycopg2",
    "pytest-xdist": "xdist",
    "pytorch-fid": "pytorch_fid.fid_score",
    "scipy": "scipy.linalg",
    "setuptools": "pkg_resources",
}


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def requirements(*extras: str) -> list[Requirement]:
    """The dependencies and those of the named extras, as far as they hold for this Python."""
    texts = list(project()["dependencies"])
    for extra in extras:
        texts += project()["optional-dependencies"][extra]
    parsed = [Requirement(text) for text in texts]
    return [requirement for requirement in parsed if requirement.marker is None or requirement.marker.evaluate()]


def module_of(requirement: Requirement) -> str:
    return MODULES.get(requirement.name, requirement.name.replace("-", "_"))


@pytest.mark.parametrize("requirement", requirements("dev"), ids=lambda requirement: requirement.name)
def test_dependency_imports_and_lies_in_its_range(requirement: Requirement) -> None:
    version = importlib.metadata.version(requirement.name)
    assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: {version} is installed"
    importlib.import_module(module_of(requirement))


def test_conda_environment_is_pyproject() -> None:
    lines = (ROOT / "environment.yml").read_text().splitlines()
    conda = [match[1] for line in lines if (match := re.fullmatch(r"  - ([^:]+)", line))]
    pip = [match[1] for line in lines if (match := re.fullmatch(r'      - "(.*)"', line))]
    assert set(conda) == {"conda-forge", f"python{project()['requires-python']}", "pip"}
    assert pip == project()["dependencies"] + project()["optional-dependencies"]["dev"]


def test_code_imports_only_what_is_declared() -> None:
    every_extra = project()["optional-dependencies"]
    declared = {module_of(requirement).split(".")[0] for requirement in requirements(*every_extra)}
    known = declared | set(sys.stdlib_module_names) | set(PACKAGES) | {"bson"}  # which pymongo brings
    undeclared = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                if name.split(".")[0] not in known:
                    undeclared[name] = str(path.relative_to(ROOT))
    assert undeclared == {}
