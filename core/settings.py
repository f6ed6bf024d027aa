"""Settings as frozen dataclasses of frozen dataclasses, addressed by dotted paths and checked against their fields.

What the settings are is no business of this file.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Settings = TypeVar("Settings")


def option(
    default: Any,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    power_of_two: bool = False,
    identity: bool = True,
    neutral: Any = None,
) -> Any:
    """A field with its range. `identity=False`: it does not change results, so it is no part of the digest.

    neutral: the value that says what was done before there was this field. At that value it is no part of the digest
    either, so that the runs of before keep their names.
    """
    limits = {"least": least, "most": most, "above": above, "power_of_two": power_of_two, "identity": identity}
    return field(default=default, metadata=limits | {"neutral": neutral})


def identifies(item: dataclasses.Field[Any], value: Any) -> bool:
    """Whether a setting with this value is part of the digest."""
    neutral = item.metadata["neutral"]
    return item.metadata["identity"] and (neutral is None or value != neutral)


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
    """(dotted path, field, value) of every setting, in the order of declaration."""
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", item, value


def with_paths(settings: Settings, changes: Mapping[str, Any], problems: list[str]) -> Settings:
    """`settings` with dotted paths set; unknown paths and wrong values are added to `problems` and left out."""
    known = {path: item for path, item, _ in leaves(settings)}
    for path, value in changes.items():
        if path not in known:
            problems.append(f"{path}: there is no such setting{nearest(path, list(known))}")
            continue
        section, _, name = path.rpartition(".")
        owner: Any = getattr(settings, section) if section else settings
        checked, problem = _checked(path, known[path], get_type_hints(type(owner))[name], value)
        if problem:
            problems.append(problem)
            continue
        owner = dataclasses.replace(owner, **{name: checked})
        settings = _with(settings, section, owner) if section else owner
    return settings


def _with(settings: Any, section: str, value: Any) -> Any:
    return dataclasses.replace(settings, **{section: value})


def nearest(word: str, known: list[str]) -> str:
    """A hint ` (did you mean ...?)`, or nothing."""
    tails: dict[str, list[str]] = {}
    for path in known:
        tails.setdefault(path.rpartition(".")[2], []).append(path)
    tail = difflib.get_close_matches(word.rpartition(".")[2], list(tails), n=1)
    close = tails.get(word) or difflib.get_close_matches(word, known, n=1) or (tails[tail[0]] if tail else [])
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def _checked(path: str, item: dataclasses.Field[Any], kind: Any, value: Any) -> tuple[Any, str]:
    """(the value in its type, what is wrong with it or nothing)."""
    if get_origin(kind) is Literal:
        names = get_args(kind)
        if value not in names:
            return value, f"{path}={value}: choose one of {', '.join(names)}"
        return value, ""
    if get_origin(kind) is tuple:
        if isinstance(value, str):  # a,b,c on a command line
            value = [name.strip() for name in value.split(",") if name.strip()]
        if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
            return value, f"{path}={value}: give a list of names"
        return tuple(value), ""
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)  # a folder named 2024
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)  # 1e5
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return value, f"{path}={value}: must be {_KINDS[kind]}"
    return value, _out_of_range(path, item.metadata, value)


_KINDS = {int: "a whole number", float: "a number", bool: "True or False", str: "text"}


def _out_of_range(path: str, limits: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path}={value}: must be finite"
    if limits.get("least") is not None and value < limits["least"]:
        return f"{path}={value}: must be at least {limits['least']:g}"
    if limits.get("most") is not None and value > limits["most"]:
        return f"{path}={value}: must be at most {limits['most']:g}"
    if limits.get("above") is not None and value <= limits["above"]:
        return f"{path}={value}: must be above {limits['above']:g}"
    if limits.get("power_of_two") and not is_power_of_two(value):
        return f"{path}={value}: must be a power of two"
    return ""


def is_power_of_two(value: int) -> bool:
    """1, 2, 4, ..."""
    return value > 0 and value & (value - 1) == 0
