"""The lines of `status`: the table, what needs more words, none wider than the terminal; and how they are renewed."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from experiments.watching.screen import Screen, lines_of
from experiments.watching.sight import Sight, State


def sight(arm: str, seed: int, state: State, **changes: Any) -> Sight:
    return Sight(arm, seed, f"runs/{arm}-s{seed}", state, **changes)


SIGHTS = [
    sight("F", 0, "done", iteration=100, of=100, train_seconds=50.0, evaluate_seconds=10.0),
    sight("A", 0, "diverged", iteration=7, reason="DIVERGED at\niteration 7"),
    sight("F", 1, "training", iteration=1290, of=3000, rate=12.3456, owner="process 42 on host"),
    sight("A", 1, "failed", reason="out of memory " + "x" * 200, log="runs/A-s1/log.txt"),
    sight("F", 2, "lost", iteration=1000, of=3000),
    sight("A", 2, "stopped", iteration=20, of=100),
    sight("F", 3, "waiting", of=100),
    sight("A", 3, "gone"),
]


def test_every_run_is_in_the_table_and_what_needs_more_words_below_it() -> None:
    lines = lines_of("demo", "python -m experiments.ladder with demo", SIGHTS, None)
    assert lines[0] == ("demo: 8 runs; 1 at work, 1 done, 1 waiting, 1 stopped, 1 lost, 1 failed, 1 diverged, 1 gone")
    assert lines[1] == "time left: unknown; there is nothing to go by yet for A"
    assert [line.split() for line in lines[3:6]] == [
        ["seed", "0", "seed", "1", "seed", "2", "seed", "3"],
        ["A", "diverged", "failed", "stopped", "gone"],
        ["F", "done", "43", "%", "lost", "waiting"],
    ]
    assert lines[lines.index("at work") + 1] == (
        "  F seed 1: 1,290 of 3,000, 12.3 it/s, 2 min 29 s left, process 42 on host"
    )
    assert lines[lines.index("lost, their processes are dead; the next start goes on from") + 1] == (
        "  F seed 2: iteration 1,000 of 3,000"
    )
    assert lines[lines.index("stopped; the next start goes on from") + 1] == ("  A seed 2: iteration 20 of 100")
    assert lines[lines.index("diverged") + 1] == "  A seed 0: DIVERGED at iteration 7"
    failed = lines.index("failed")
    assert lines[failed + 1] == f"  A seed 1: out of memory {'x' * 200}"
    assert lines[failed + 2] == "    runs/A-s1/log.txt"
    assert "  A seed 3: runs/A-s3" in lines
    assert "to go on" not in "\n".join(lines)


def test_the_way_to_go_on_is_named_where_nothing_is_at_work() -> None:
    command = "python -m experiments.ladder with demo"
    idle = [one for one in SIGHTS if one.state != "training"]
    assert lines_of("demo", command, idle, None)[-2:] == ["nothing is at work; to go on:", f"  {command}"]
    over = [one for one in SIGHTS if one.state in ("done", "diverged")]
    assert command not in "\n".join(lines_of("demo", command, over, None))


def test_the_time_left_says_what_it_counts() -> None:
    known = [SIGHTS[0], SIGHTS[2]]
    assert lines_of("demo", "", known, None)[1] == "about 2 min 29 s left"
    assert lines_of("demo", "", known[1:], None)[1] == "about 2 min 19 s left, not counting evaluations"
    line = next(line for line in lines_of("demo", "", known[1:], None) if line.startswith("  F seed 1"))
    assert "2 min 19 s left before its evaluation" in line


@pytest.mark.parametrize("width", [40, 61, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    many = [sight(arm, seed, "waiting") for seed in range(30) for arm in ("A", "an arm with a long name")]
    lines = lines_of("demo", "python -m experiments.ladder " + "y" * 200, [*SIGHTS, *many], width)
    assert max(map(len, lines)) <= width
    grid = " ".join(line for line in lines if "seed" in line and ":" not in line)
    assert all(f"seed {seed}" in grid for seed in range(30))  # in blocks below each other
    assert any(line.endswith("…") for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_written_over_without_being_cleared_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 4)))
    terminal = Terminal()
    screen = Screen(terminal)
    screen.show(["one", "two"])
    assert terminal.getvalue() == "\x1b[2J\x1b[Hone\x1b[K\ntwo\x1b[K\n\x1b[J"
    terminal.truncate(0)
    terminal.seek(0)
    screen.show(["1", "2", "3", "4", "5"])
    assert terminal.getvalue() == "\x1b[H1\x1b[K\n2\x1b[K\n3\x1b[K\n\x1b[J"  # it never scrolls


def test_elsewhere_blocks_follow_each_other() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.show(["one", "two"])
    screen.show(["three"])
    assert stream.getvalue() == "one\ntwo\n\nthree\n"


def test_incomplete_runs_say_what_they_lack() -> None:
    lines = lines_of("demo", "again", [sight("F", 0, "incomplete", reason="lacks interpolation.png")], None)
    assert lines[0] == "demo: 1 run; 1 incomplete"
    heading = lines.index("incomplete; the next start makes what they lack, and trains nothing")
    assert lines[heading + 1] == "  F seed 0: lacks interpolation.png"
    assert lines[-2:] == ["nothing is at work; to go on:", "  again"]
