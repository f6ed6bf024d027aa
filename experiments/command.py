"""The command lines: `with PRESET RUNG key=value ...`, in Sacred's grammar; and how errors reach a person.

A mistake gives one message on standard error and exit status 2 (nothing was started) or 1 (something failed), never a
traceback. Ctrl-C gives 130.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ablations.ladders import DEFAULT as DEFAULT_LADDER
from ablations.ladders import LADDERS
from ablations.presets import DEFAULT, PRESETS, Preset
from ablations.rung import Ladder, varied
from core.config import Config, ConfigError
from core.errors import UserError
from core.settings import leaves, nearest, with_paths


class Interrupted(Exception):
    """Stopped on request; the message says how to go on."""


@dataclass(frozen=True)
class Setting:
    """A key that belongs to a command and not to a run's configuration.

    A key that ends in a point stands for all that begin with it; its value is {what follows: value}.
    """

    default: Any
    meaning: str
    least: float | None = None  # of a number; None: anything of the default's type


EVALUATIONS = Setting(1, "of each trained run, by seeds eval.seed, eval.seed + 1, ...; the first is its result", 1)
TRACKING = Setting("", "where else to record runs: sqlite:PATH, postgresql://... or mongodb://...")


@dataclass(frozen=True)
class Command:
    """What a person asked for."""

    preset: Preset
    ladder: Ladder
    rung: str  # a letter, or empty
    updates: Mapping[str, Any]  # dotted path of the configuration -> value
    settings: Mapping[str, Any]  # the command's own keys, defaults filled in
    words: tuple[str, ...]  # as given, to be shown and repeated

    @property
    def recipe(self) -> dict[str, Any]:
        """{dotted path: value} of what all rungs start from: the scale's settings, the ladder's, the person's."""
        return {**self.preset.settings, **self.ladder.settings, **self.updates}

    @property
    def again(self) -> str:
        """The words that make the same command again, but for the password of a tracker: reports show them."""
        from experiments.tracking.address import without_password

        words = [
            f"{key}={without_password(value)}" if key in ("tracking", "tune.storage") else word
            for word in self.words
            for key, _, value in [word.partition("=")]
        ]
        return " ".join(["with", *words]) if words else ""


def run_main(main: Callable[[list[str]], int | None]) -> None:
    """Run a command's main function on sys.argv and exit with its status. SIGTERM stops it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = main(sys.argv[1:]) or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except (Interrupted, KeyboardInterrupt) as interruption:
        print(f"\n{interruption}" if str(interruption) else "\nstopped", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        status = 0
    sys.stdout.flush()
    sys.exit(status)


def parse(arguments: list[str], settings: Mapping[str, Setting], *, rungs_allowed: bool) -> Command:
    """Parse `with ...` (the word itself may be missing). Raises ConfigError with everything that is wrong."""
    words = [word for position, word in enumerate(arguments) if not (position == 0 and word == "with")]
    updates, names = _sacred_grammar(words)
    problems: list[str] = []
    presets = {preset.name: preset for preset in PRESETS}
    chosen = [name for name in names if name in presets]
    ladders = [name for name in names if name in LADDERS]
    ladder = LADDERS[ladders[0]] if ladders else DEFAULT_LADDER
    letters = [name for name in names if name in ladder.letters and rungs_allowed]
    switches = [name for name in names if name in settings and settings[name].default is False]
    updates |= dict.fromkeys(switches, True)
    names = [name for name in names if name not in switches]
    for name in names:
        if name not in (*presets, *ladders, *letters):
            known = [*presets, *LADDERS, *(ladder.letters if rungs_allowed else ())]
            problems.append(f"{name}: there is no such name; known are {', '.join(known)}{nearest(name, known)}")
    for kind, found in (("scale", chosen), ("ladder", ladders), ("rung", letters)):
        if len(found) > 1:
            problems.append(f"{' '.join(found)}: name one {kind}")
    own: dict[str, Any] = {key: updates.pop(key) for key in list(updates) if key in settings}
    for key in [key for key in settings if key.endswith(".")]:
        own[key] = {path.removeprefix(key): updates.pop(path) for path in list(updates) if path.startswith(key)}
    known_paths = {path for path, _, _ in leaves(Config())}
    for path in list(updates):
        if path not in known_paths:
            hint = nearest(path, [*known_paths, *settings])
            problems.append(f"{path}: there is no such setting{hint}")
            del updates[path]
    with_paths(Config(), updates, problems)
    for key, value in own.items():
        least = settings[key].least
        problem = _wrong_type(key, settings[key].default, value)
        if not problem and least is not None and value < least:
            problem = f"{key}={value}: must be at least {least:g}"
        problems += [problem] if problem else []
    if problems:
        raise ConfigError(problems)
    filled = {key: setting.default for key, setting in settings.items()} | own
    preset = presets[chosen[0] if chosen else DEFAULT]
    return Command(preset, ladder, letters[0] if letters else "", updates, filled, tuple(words))


def refuse_varied(ladder: Ladder, updates: Mapping[str, Any]) -> None:
    """Raise ConfigError where an update fixes what the ladder varies: it would be overwritten without a word."""
    sets = varied(ladder)
    problems = [
        f"{path}: this is what the ladder varies from rung to rung, so it cannot be fixed for all of them. For one "
        f"configuration use: python -m experiments.run with F {path}={updates[path]}"
        for path in updates
        if path in sets and not sets[path]
    ]
    if problems:
        raise ConfigError(problems)


def help_text(usage: str, settings: Mapping[str, Setting], *, rungs_allowed: bool) -> str:
    """The page of `--help`: usage, scales, ladders, rungs, and every setting with its default."""
    lines = [usage, "", "Scales and recipes (name one; the default is " + DEFAULT + "):"]
    lines += [f"  {preset.name:<12}{preset.title}" for preset in PRESETS]
    lines += ["", "Ladders (name one; the default is controlled_ladder):"]
    lines += [f"  {name:<19}{ladder.title}" for name, ladder in LADDERS.items()]
    if rungs_allowed:
        lines += ["", "Rungs (name one):"]
        lines += [f"  {rung.letter:<12}{rung.title}" for rung in DEFAULT_LADDER.rungs]
    if settings:
        lines += ["", "Settings of this command (key=default):"]
        for key, setting in settings.items():
            shown = f"{key}KEY=VALUE" if key.endswith(".") else f"{key}={_shown(setting.default)}"
            lines.append(f"  {shown}".ljust(34) + setting.meaning)
    lines += ["", "Settings of a run (key=default; scales and rungs change them):"]
    lines += [f"  {path}={_shown(value)}" for path, _, value in leaves(Config())]
    return "\n".join(lines)


def wants_help(arguments: list[str]) -> bool:
    """Whether the page of help is asked for."""
    return any(word in ("--help", "-h", "help") for word in arguments)


def _sacred_grammar(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """({dotted path: value}, names), read by Sacred's own parser."""
    from experiments.tracking.grammar import read_updates

    updates: dict[str, Any] = {}
    names: list[str] = []
    for word in words:
        nested, found = read_updates(word)
        updates |= _flat(nested)
        names += found
    return updates, names


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        # Sacred knows Python's True and False alone; a person types true as well.
        leaf = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": leaf}
    return flat


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _wrong_type(key: str, default: Any, value: Any) -> str:
    if isinstance(default, bool) or default is None or isinstance(value, bool):
        return "" if isinstance(value, bool) == isinstance(default, bool) else f"{key}={value}: not a valid value"
    if isinstance(default, int) and not isinstance(value, int):
        return f"{key}={value}: must be a whole number"
    return ""
