"""Sacred: the grammar of the command line, and the record of every attempt at a run. The only package that knows it.

Sacred's view is secondary: a run's own folder is the truth, and Sacred's files under `runs/sacred` are the truth for
every other tracker, which only ever gets a copy of them.

Importing this package mends what Sacred 0.8 misses in newer Pythons and packages.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import warnings

if not hasattr(pkgutil, "find_loader"):  # Python 3.14 dropped it, and Sacred 0.8 asks it whether a module exists
    pkgutil.find_loader = importlib.util.find_spec  # type: ignore

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")  # Sacred 0.8 still imports it
    from sacred import SETTINGS

SETTINGS.CAPTURE_MODE = "no"  # the run writes its own log; capturing would break progress bars
SETTINGS.DISCOVER_SOURCES = "sys"  # all of the program that is loaded, not only what this package imports itself
SETTINGS.DISCOVER_DEPENDENCIES = "sys"
