import hashlib
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch

from core.errors import UserError
from core.metrics import weights
from core.metrics.weights import ALEXNET, INCEPTION, TORCHVISION_INCEPTION, WeightsFile, WeightsUnavailable

CONTENT = b"weights" * 1000
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]


class Host(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/found") else 404)
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), Host) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A host that takes a connection and never says a word."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_files_are_the_packages_own() -> None:
    from pytorch_fid.inception import FID_WEIGHTS_URL
    from torchvision.models import AlexNet_Weights, Inception_V3_Weights

    assert FID_WEIGHTS_URL == INCEPTION.url
    assert AlexNet_Weights.DEFAULT.url == ALEXNET.url
    assert Inception_V3_Weights.DEFAULT.url == TORCHVISION_INCEPTION.url
    files = (INCEPTION, ALEXNET, TORCHVISION_INCEPTION)
    assert [file.digits for file in files] == ["6726825d", "7be5be79", "0cc3c7bd"]


def test_a_refused_connection(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match="cannot be reached"):
        weights.fetch([replace(INCEPTION, url=f"http://127.0.0.1:{closed_port()}/a-00000000.pth")])
    assert time.monotonic() - started < 5
    assert not empty_cache.exists()


def test_hosts_that_hang_are_given_up_together(empty_cache: Path, silent: str) -> None:
    assert weights.PATIENCE < 10
    files = [replace(file, url=f"{silent}/{file.digits}-00000000.pth") for file in (INCEPTION, ALEXNET)]
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match=r"Inception.*; .*AlexNet"):
        weights.fetch(files, patience=1)
    assert 0.9 < time.monotonic() - started < 2
    assert not empty_cache.exists()


def test_a_name_that_is_never_resolved(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match="does not answer within 1 s"):
        weights.fetch([INCEPTION], patience=1)
    assert time.monotonic() - started < 2


def test_a_download(empty_cache: Path, host: str) -> None:
    file = WeightsFile("a network", f"{host}/found/network-{DIGITS}.pth")
    weights.fetch([file])
    assert file.path.read_bytes() == CONTENT
    assert [path.name for path in file.path.parent.iterdir()] == [f"network-{DIGITS}.pth"]
    weights.fetch([replace(file, url=file.url.replace(host, "http://127.0.0.1:1"))])  # it is there: no host is asked
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("name", ["found/network-00000000.pth", f"missing/network-{DIGITS}.pth"])
def test_a_wrong_or_missing_file_leaves_nothing_behind(empty_cache: Path, host: str, name: str) -> None:
    file = WeightsFile("a network", f"{host}/{name}")
    with pytest.raises(WeightsUnavailable, match="a network"):
        weights.fetch([file])
    assert not list(empty_cache.rglob("*.p*"))


def test_a_cache_that_cannot_be_written(empty_cache: Path, host: str) -> None:
    empty_cache.write_text("a file where the folder should be")
    with pytest.raises(WeightsUnavailable, match="a network"):
        weights.fetch([WeightsFile("a network", f"{host}/found/network-{DIGITS}.pth")])


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('code from a weights file ran')",))


@pytest.mark.parametrize("content", ["cut short", "code", "no weights"])
def test_a_damaged_file_is_named(empty_cache: Path, content: str) -> None:
    INCEPTION.path.parent.mkdir(parents=True)
    torch.save({"weight": torch.zeros(1000)}, INCEPTION.path)
    if content == "cut short":
        INCEPTION.path.write_bytes(INCEPTION.path.read_bytes()[:500])
    else:
        torch.save(Exploit() if content == "code" else {"weight": "none"}, INCEPTION.path)
    with pytest.raises(UserError, match="Delete the file") as caught:
        weights.load(INCEPTION)
    assert str(INCEPTION.path) in str(caught.value)


def test_the_checksum_of_a_state() -> None:
    state = {"a": torch.arange(3.0), "b": torch.zeros(2)}
    assert weights.checksum(state) == weights.checksum(dict(reversed(state.items())))
    assert weights.checksum(state) != weights.checksum({**state, "b": torch.ones(2)})
    assert len(weights.checksum(state)) == 8
