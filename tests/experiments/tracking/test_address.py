"""Addresses of trackers: what is refused, what is only warned of, and that no password is ever shown."""

from __future__ import annotations

import importlib.util
import os
import socket
from pathlib import Path

import pytest

from core.errors import UserError
from experiments.tracking.address import VARIABLE, Address, check_tracking, hand_down, without_password
from tests.experiments.attempts import SECRET


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hunter2@server/runs",
        "postgresql://me:hunter2@server:5432/runs?sslmode=require",
        "postgresql:///runs?host=/run/postgresql",
        "mongodb://server:27017/runs",
        "mongodb://me:hunter2@one:1,two:2/runs?replicaSet=a",
    ],
)
def test_addresses_of_servers(text: str) -> None:
    address = Address.read(text)
    assert address.text == text
    assert SECRET not in f"{address} {address!r}"
    assert str(address).endswith(text.rpartition("@")[2])


@pytest.mark.parametrize(
    "text",
    [
        "postgres://me:hunter2@server/runs",  # no such scheme
        "postgresql://me:hunter2@server",  # no database
        "postgresql:me:hunter2@server/runs",
        "postgresql://me:hunter2@server:port/runs",
        "mongodb://me:hunter2@server:27017",
        "mongodb://me:hun@ter2@server/runs",
        "mongodb://me:hunter2@:x/runs",
        "mongodb://me:hunter2@server/runs?directConnection=true&replicaSet=a&loadBalanced=true",
        "me:hunter2@server/runs",
        "//me:hunter2@server/runs",
        "sqlite:",
        "runs.db",
    ],
)
def test_malformed_addresses_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="not the address of a tracker") as refusal:
        Address.read(text)
    assert "Write sqlite:PATH, postgresql://" in str(refusal.value)
    assert "hun" not in str(refusal.value) and "ter2" not in str(refusal.value)


def test_addresses_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Address.read("sqlite:new/runs.db").text == f"sqlite:{tmp_path}/new/runs.db"
    assert Address.read(f"sqlite:///{tmp_path}/a@b.db").text == f"sqlite:{tmp_path}/a@b.db"
    assert str(Address.read("sqlite:a@b.db")) == f"sqlite:{tmp_path}/a@b.db"  # no password to hide
    (tmp_path / "letter.txt").write_text("Dear reader")
    with pytest.raises(UserError, match="is no SQLite database"):
        Address.read("sqlite:letter.txt")
    with pytest.raises(UserError, match="cannot be written"):
        Address.read(f"sqlite:{tmp_path}")
    with pytest.raises(UserError, match="cannot be written"):
        Address.read("sqlite:letter.txt/runs.db")
    assert (tmp_path / "letter.txt").read_text() == "Dear reader"


@pytest.mark.parametrize(
    "text, package", [("postgresql://server/runs", "psycopg2-binary"), ("mongodb://server/runs", "pymongo")]
)
def test_a_missing_driver_is_named(text: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=f"python -m pip install {package}"):
        Address.read(text)


@pytest.mark.parametrize("scheme", ["postgresql", "mongodb"])
def test_a_tracker_out_of_reach_is_only_warned_of(
    scheme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.tracking.address.ANSWER_SECONDS", 0.5)
    with socket.socket() as silent:  # accepts connections and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"{scheme}://me:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/runs"
        assert check_tracking(address, tmp_path) == address
    message = capsys.readouterr().err
    assert message.count("warning:") == 1 and "no answer within 0.5 s" in message
    assert f"python -m experiments.track {tmp_path} --to '{scheme}://***@127.0.0.1" in message
    assert SECRET not in message


def test_reasons_have_no_password() -> None:
    address = Address("postgresql://me:a%40b@server/runs")
    assert address.reason(ValueError("a%40b, also written a@b\nand more")) == "***, also written ***"
    assert address.reason(ValueError()) == "ValueError"
    assert without_password("postgresql://server/runs?user=me&password=hunter2&x=1") == (
        "postgresql://server/runs?user=me&password=***&x=1"
    )


def test_the_environment_stands_in_and_is_handed_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert check_tracking("", tmp_path) == ""
    with pytest.raises(UserError, match="tracking=5: not the address"):  # Sacred's grammar reads a number
        check_tracking(5, tmp_path)
    hand_down("")
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, f"sqlite:{tmp_path}/a.db")
    assert check_tracking("", tmp_path) == f"sqlite:{tmp_path}/a.db"
    hand_down(check_tracking(f"sqlite:{tmp_path}/b.db", tmp_path))
    assert os.environ[VARIABLE] == f"sqlite:{tmp_path}/b.db"
