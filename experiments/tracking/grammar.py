"""The grammar of the command line is Sacred's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sacred.arg_parser import get_config_updates


def read_updates(word: str) -> tuple[Mapping[str, Any], list[str]]:
    """One word of a command line: ({nested key: value}, []) or ({}, [name])."""
    return get_config_updates([word])
