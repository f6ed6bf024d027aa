"""Cores and GPUs shared out among runs."""

from __future__ import annotations

import pytest

from core.errors import UserError
from experiments.engines import sharing
from experiments.engines.local import Slot
from experiments.engines.sharing import share_out


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "cores", lambda: 8)


@pytest.mark.parametrize(
    ("asked", "slots"),
    [
        ({"runs": 18, "workers": "auto"}, [Slot(1)] * 8),
        ({"runs": 3, "workers": "auto"}, [Slot(2)] * 3),
        ({"runs": 1, "workers": "auto", "of": 3}, [Slot(2)]),
        ({"runs": 2, "workers": "auto", "of": 18}, [Slot(1)] * 2),
        ({"runs": 1, "workers": 2, "of": 18}, [Slot(4)]),
        ({"runs": 18, "workers": "auto", "fit": 2}, [Slot(4)] * 2),
        ({"runs": 18, "workers": 12}, [Slot(1)] * 12),
        ({"runs": 0, "workers": "auto"}, [Slot(8)]),
        ({"runs": 18, "workers": "auto", "gpus_per_run": 4}, [Slot(4)] * 2),
        ({"runs": 9, "workers": "auto", "gpus": (0, 3)}, [Slot(4, (0,)), Slot(4, (3,))]),
        ({"runs": 9, "workers": "auto", "gpus": (0, 3), "runs_per_gpu": 2}, [Slot(2, (0,)), Slot(2, (3,))] * 2),
        ({"runs": 2, "workers": "auto", "gpus": (0, 3), "runs_per_gpu": 2}, [Slot(4, (0,)), Slot(4, (3,))]),
        ({"runs": 9, "workers": 1, "gpus": (0, 3)}, [Slot(8, (0,))]),
        (
            {"runs": 9, "workers": "auto", "gpus": (0, 1, 2, 3, 4), "gpus_per_run": 2},
            [Slot(4, (0, 1)), Slot(4, (2, 3))],
        ),
    ],
)
def test_slots(asked: dict[str, object], slots: list[Slot]) -> None:
    assert share_out(**asked) == slots  # type: ignore[arg-type]


def test_a_run_that_wants_more_gpus_than_there_are_is_refused() -> None:
    with pytest.raises(UserError, match="gpus_per_run=4: there are 2 GPUs"):
        share_out(1, "auto", gpus=(0, 1), gpus_per_run=4)
