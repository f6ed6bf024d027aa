"""Requests to stop: at once outside training, as a question inside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.training.loop import Stopped
from experiments.stopping import StopRequests

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
ROOT = Path(__file__).parents[2]

CHILD = """
import sys, time
from pathlib import Path
from experiments.stopping import StopRequests
with StopRequests(with_parent=sys.argv[1] == "with") as requests:
    print("ready", flush=True)
    for _ in range(60):
        time.sleep(0.05)
        if requests.pending():
            break
    Path(sys.argv[2]).write_text("stopped" if requests.pending() else "went on")
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), end="", flush=True)  # it is ready, and this process dies
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_request_stops_at_once(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with StopRequests(with_parent=False):
        with pytest.raises(Stopped, match=number.name):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_within_deferred_it_is_a_question() -> None:
    with StopRequests(with_parent=False) as requests:
        with requests.deferred() as should_stop:
            assert not should_stop()
            signal.raise_signal(signal.SIGTERM)
            assert should_stop()
        with pytest.raises(Stopped):
            requests.check()
        signal.raise_signal(signal.SIGTERM)  # a second one tears nothing


@pytest.mark.parametrize(("word", "answer"), [("with", "stopped"), ("without", "went on")])
def test_the_death_of_the_parent_stops_those_who_asked_for_it(word: str, answer: str, tmp_path: Path) -> None:
    answered = tmp_path / "answer"
    command = [sys.executable, "-c", PARENT, CHILD, word, str(answered)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300, capture_output=True)
    deadline = time.monotonic() + 300
    while not (answered.exists() and answered.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answered.read_text() == answer


def test_a_run_that_nobody_wants_any_more_stops() -> None:
    wanted = True
    with StopRequests(False, lambda: not wanted) as requests:
        assert not requests.pending()
        wanted = False
        assert requests.pending()
        with pytest.raises(Stopped):
            requests.check()
