"""The command line's grammar, and Sacred under Pythons that it does not know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from experiments.tracking.grammar import read_updates

ROOT = Path(__file__).parents[3]


def test_the_grammar_is_sacreds() -> None:
    assert read_updates("a.b=3") == ({"a": {"b": 3}}, [])
    assert read_updates("name=mine") == ({"name": "mine"}, [])
    assert read_updates("smoke") == ({}, ["smoke"])
    assert read_updates("tracking=postgresql://u:p=w@h:5/d?x=1") == ({"tracking": "postgresql://u:p=w@h:5/d?x=1"}, [])


def test_sacred_is_imported_where_python_has_dropped_find_loader() -> None:
    program = "import pkgutil; pkgutil.__dict__.pop('find_loader', None); import experiments.tracking.attempts"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
