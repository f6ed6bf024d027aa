"""What every test runs under: one thread, no window, no network beyond this machine, no weights from other programs."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import browser, chromium  # noqa: F401  (fixtures)

# Before torch and matplotlib are imported, and inherited by the programs that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

LOCAL_HOSTS = ("127.", "::1", "localhost")


@pytest.fixture(scope="session", autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty torch cache (tests that need weights set TORCH_HOME themselves) and connections to this machine only."""

    def connect_locally(connection: socket.socket, address: Any) -> Any:
        if connection.family != socket.AF_UNIX and not str(address[0]).startswith(LOCAL_HOSTS):
            raise ConnectionRefusedError(f"tests do not use the network: {address}")
        return connect(connection, address)

    connect = socket.socket.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("torch_home")))
        patch.setattr(socket.socket, "connect", connect_locally)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `gpu` where there is none; torch is imported only if something is marked."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
