"""The words of the study's command line: `key=value`, `--key=value` or `--key value`, and names between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import UserError
from core.settings import nearest
from experiments.command import Setting


def read_words(words: Sequence[str], settings: Mapping[str, Setting]) -> tuple[list[str], dict[str, Any]]:
    """(names, {key: value}), defaults filled in; a value has the type of its default. Raises UserError."""
    names: list[str] = []
    values = {key: setting.default for key, setting in settings.items()}
    left = list(words)
    while left:
        word = left.pop(0)
        key, equals, value = word.removeprefix("--").partition("=")
        if not equals and not word.startswith("--"):
            names.append(word)
            continue
        key = key.replace("-", "_")
        if key not in settings:
            known = ", ".join(f"{name}=" for name in settings)
            raise UserError(f"{word}: there is no such setting{nearest(key, list(settings))}. Known are {known}")
        if not equals:
            if not left or left[0].startswith("--"):
                raise UserError(f"{word}: a value is missing, as in {key}={settings[key].default}")
            value = left.pop(0)
        values[key] = _typed(key, value, settings[key].default)
    return names, values


def settings_text(settings: Mapping[str, Setting]) -> str:
    """A line of help for each setting."""
    return "\n".join(f"  {f'{key}={setting.default}':<24}{setting.meaning}" for key, setting in settings.items())


def _typed(key: str, value: str, default: Any) -> Any:
    try:
        return type(default)(value)
    except ValueError as error:
        number = "a whole number" if isinstance(default, int) else "a number"
        raise UserError(f"{key}={value}: must be {number}") from error
