"""Two processes with half of the batch each do what one does with all of it, to rounding."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import UserError
from core.training.replicas import Replica, open_replica, refuse_uneven
from tests.core.training.replicated import cases, in_float64, outcomes

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]
# In float64, of weights, averages, moments and losses. A step moves a weight by 1e-4; where its gradient is nothing but
# rounding (a bias that the next norm takes away), Adam's 1e-8 in the denominator lets about 1e-10 of that pass.
TOLERANCE = 1e-9
Outcomes = dict[str, Any]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    with in_float64():
        return outcomes(Replica(CPU), tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Outcomes]:
    """What each of two processes says that torchrun started."""
    folder = tmp_path_factory.mktemp("two")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "tests.core.training.replicated", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr[-4000:]
    return [torch.load(folder / f"outcomes-{rank}.pt", weights_only=True) for rank in range(2)]


def numbers(content: Any, path: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """(where, what) of every tensor and number in nested dictionaries and lists."""
    if isinstance(content, dict | list | tuple):
        for name, part in content.items() if isinstance(content, dict) else enumerate(content):
            yield from numbers(part, f"{path}/{name}")
    elif isinstance(content, torch.Tensor | float | int):
        yield path, torch.as_tensor(content, dtype=torch.float64)


def results(outcome: Outcomes) -> dict[str, torch.Tensor]:
    """What a run must come to; how long it took is not."""
    return {path: value for path, value in numbers(outcome) if not path.endswith("/seconds")}


@pytest.mark.parametrize("case", [*cases(), "resumed"])
def test_two_processes_follow_one(case: str, one: Outcomes, two: list[Outcomes]) -> None:
    alone, first = results(one[case]), results(two[0][case])
    assert alone.keys() == first.keys()
    assert len(one[case]["curve"]) >= 2
    for path, value in alone.items():
        assert value.shape == first[path].shape and torch.isfinite(value).all(), path
        assert (value - first[path]).abs().max() <= TOLERANCE, path


@pytest.mark.parametrize("case", [*cases(), "resumed"])
def test_all_processes_have_the_same_state_and_the_first_one_writes(case: str, two: list[Outcomes]) -> None:
    first, second = (results(outcome[case]["state"]) for outcome in two)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[path], second[path]) for path in first)
    assert two[0][case]["curve"] and not two[1][case]["curve"]


def test_going_on_from_the_first_ones_checkpoint_is_the_same_run(two: list[Outcomes]) -> None:
    """Bit for bit, though only the last one was asked to stop."""
    whole, resumed = results(two[0]["F"]["state"]), results(two[0]["resumed"]["state"])
    assert all(torch.equal(whole[path], resumed[path]) for path in whole)
    assert two[0]["resumed"]["curve"] == two[0]["F"]["curve"][2:]


def test_all_see_that_one_diverged(two: list[Outcomes]) -> None:
    (iteration, what), second = (outcome["diverged"] for outcome in two)
    assert (iteration, what) == second
    assert iteration == 1 and {"d/latent/fake", "weights"} <= set(what)


def test_a_process_on_its_own_has_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where other programs have left their variables."""
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("RANK", "3")
    replica = open_replica(CPU)
    assert (replica.rank, replica.count, replica.device) == (0, 1, CPU)
    assert replica.rows(5) == slice(0, 5)
    assert replica.any(True) and not replica.any(False)
    assert replica.mean({"a": torch.tensor(2.0)}) == {"a": torch.tensor(2.0)}


def test_fewer_gpus_than_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    torchrun = {"TORCHELASTIC_RUN_ID": "a", "RANK": "0", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4"}
    for name, value in torchrun.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="gpus_per_run=4: torch sees 2 GPUs on this machine"):
        open_replica(torch.device("cuda"))


def test_rows_are_equal_shares_in_order() -> None:
    shares = [list(range(12))[Replica(CPU, rank, 3).rows(12)] for rank in range(3)]
    assert shares == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


@pytest.mark.parametrize("batch, count", [(8, 1), (8, 2), (8, 8), (6, 3)])
def test_a_batch_that_can_be_shared_is_taken(batch: int, count: int) -> None:
    refuse_uneven(batch, count)


@pytest.mark.parametrize("batch, count", [(8, 3), (7, 2), (2, 4), (16, 6)])
def test_a_batch_that_cannot_be_shared_names_what_can(batch: int, count: int) -> None:
    with pytest.raises(
        UserError, match=f"train.batch={batch} cannot be shared evenly by gpus_per_run={count}"
    ) as caught:
        refuse_uneven(batch, count)
    _, _, advice = str(caught.value).partition(": use ")
    sizes = [int(size) for size in re.findall(r"train\.batch=(\d+)", advice)]
    counts = [int(number) for number in re.findall(r"gpus_per_run=(\d+)", advice)]
    assert sizes and all(size > 0 and size % count == 0 and abs(size - batch) < count for size in sizes)
    assert len(counts) == 1 and batch % counts[0] == 0 and counts[0] < count
