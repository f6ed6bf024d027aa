"""Claims: one of many gets a run, the dead are followed at once, the overtaken know it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core.errors import UserError
from experiments import claims
from experiments.claims import Claim, Owner, Taken, living_owner

ROOT = Path(__file__).parents[2]

TAKE = """
import sys, time
from pathlib import Path
from experiments.claims import Claim, Taken
folder, start = Path(sys.argv[1]), float(sys.argv[2])
time.sleep(max(0, start - time.time()))
try:
    Claim(folder).take()
    print("taken", flush=True)
    time.sleep(60)
except Taken:
    print("refused", flush=True)
"""


def taker(folder: Path, start: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(folder), str(start)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def claim_of(folder: Path, number: int, owner: Owner, age: float) -> Path:
    path = folder / f"claim-{number:06d}.json"
    path.write_text(json.dumps(vars(owner)))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


ELSEWHERE = Owner("node7", 123, 5.0, "node7 another-boot pid:[1]")


def test_of_many_that_start_at_once_one_gets_the_run(tmp_path: Path) -> None:
    start = time.time() + 2.5
    processes = [taker(tmp_path, start) for _ in range(6)]
    answers = [said(process) for process in processes]
    winner = processes[answers.index("taken")]
    assert sorted(answers) == ["refused"] * 5 + ["taken"]
    owner = living_owner(tmp_path)
    assert owner is not None
    assert owner.pid == winner.pid
    # It dies without a word: the next one has the run at once.
    winner.kill()
    winner.wait()
    assert living_owner(tmp_path) is None
    with Claim(tmp_path) as claim:
        assert claim.held
    for process in processes:
        process.wait()
    assert [path.name for path in tmp_path.glob("claim-*")] == ["claim-000002.json"]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.skipif(os.name == "nt", reason="zombies as on POSIX")
def test_a_dead_process_that_nobody_has_asked_after_holds_nothing(tmp_path: Path) -> None:
    process = taker(tmp_path)
    assert said(process) == "taken"
    process.kill()
    deadline = time.monotonic() + 120
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert living_owner(tmp_path) is None
    process.wait()


def test_a_released_claim_is_followed_by_the_next_number(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        with Claim(tmp_path):
            assert [path.name for path in tmp_path.glob("claim-*")] == [f"claim-{number:06d}.json"]
            assert living_owner(tmp_path) == Owner.here()
            with pytest.raises(Taken, match=f"process {os.getpid()}"):
                Claim(tmp_path).take()
        assert living_owner(tmp_path) is None


def test_a_silent_owner_on_another_machine_is_overtaken_and_a_beating_one_is_not(tmp_path: Path) -> None:
    path = claim_of(tmp_path, 4, ELSEWHERE, age=30)
    with pytest.raises(Taken, match="process 123 on node7"):
        Claim(tmp_path).take()
    os.utime(path, (time.time() - 61, time.time() - 61))
    with Claim(tmp_path) as claim:
        assert (tmp_path / "claim-000005.json").exists()
        assert claim.held


def test_a_process_number_that_was_given_again_is_not_the_owner(tmp_path: Path) -> None:
    here = Owner.here()
    claim_of(tmp_path, 1, Owner(here.host, here.pid, here.started - 3600, here.machine), age=0)
    assert living_owner(tmp_path) is None
    claim_of(tmp_path, 2, here, age=1e6)  # alive on this machine, however silent
    assert living_owner(tmp_path) == here


def test_an_overtaken_owner_may_write_nothing_more(tmp_path: Path) -> None:
    claim = Claim(tmp_path)
    claim.take()
    claim.verify()
    claim_of(tmp_path, 2, ELSEWHERE, age=0)
    assert not claim.held
    with pytest.raises(Taken, match="node7"):
        claim.verify()
    claim.release()
    assert living_owner(tmp_path) == ELSEWHERE  # untouched by who came before


def test_who_looked_before_others_took_and_ended_higher_claims_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_of(tmp_path, 7, ELSEWHERE, age=0)
    looks = iter([2, 2])  # of the first look, when 2 was the newest and its owner dead
    newest = claims._newest
    monkeypatch.setattr(claims, "_newest", lambda folder: next(looks, None) or newest(folder))
    with pytest.raises(Taken):
        Claim(tmp_path).take()
    assert [path.name for path in tmp_path.iterdir()] == ["claim-000007.json"]


def test_the_heartbeat_is_seen(tmp_path: Path) -> None:
    claim = Claim(tmp_path, heartbeat=0.05)
    claim.take()
    path = tmp_path / "claim-000001.json"
    os.utime(path, (0, 0))
    deadline = time.monotonic() + 120
    while path.stat().st_mtime < time.time() - 60 and time.monotonic() < deadline:
        time.sleep(0.02)
    claim.release()
    assert time.time() - path.stat().st_mtime < 20


def test_a_claim_that_is_not_readable_holds_until_it_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "claim-000001.json"
    path.write_text("")
    assert living_owner(tmp_path) is not None
    os.utime(path, (time.time() - 61, time.time() - 61))
    assert living_owner(tmp_path) is None


def test_without_hard_links_the_claim_is_exclusive_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    with Claim(tmp_path):
        assert living_owner(tmp_path) == Owner.here()
        with pytest.raises(FileExistsError):
            claims._create(tmp_path / "claim-000001.json", {})
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_a_stopped_process_keeps_its_run(tmp_path: Path) -> None:
    process = taker(tmp_path)
    assert said(process) == "taken"
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(Taken):
        Claim(tmp_path, silence=0).take()
    process.kill()
    process.wait()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        Claim(tmp_path / "file" / "run").take()
