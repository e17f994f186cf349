from __future__ import annotations

import importlib.metadata
import shutil
import subprocess

import pytest

from tests.repl.conftest import Run


@pytest.fixture(autouse=True)
def no_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")


def states(run: Run) -> dict[str, str]:
    return {finding["name"]: finding["state"] for finding in run("doctor", "--json").json}


def test_what_vshell_needs_is_there_and_what_is_optional_may_be_missing(run: Run) -> None:
    assert run("doctor").code == 0
    found = states(run)
    assert {found[name] for name in ("vshell", "python", "apsw", "sqlite", "write-ahead log")} == {"ok"}  # fmt: skip
    assert found["docker"] == found["git"] == "missing"


def test_a_package_that_is_missing_is_named_and_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "regex":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    done = run("doctor")
    assert done.code == 1
    assert "regex             broken   not installed: pip install regex\n" in done.text


@pytest.mark.parametrize("failure", [OSError(8, "no"), subprocess.TimeoutExpired("docker", 20)])
def test_a_program_that_does_not_answer_is_missing(
    failure: Exception, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise failure

    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", fail)
    assert states(run)["git"] == "missing"
    assert run("doctor").code == 0


def test_without_a_daemon_it_says_what_to_install(run: Run) -> None:
    lines = run("doctor").text.splitlines()
    (line,) = [line for line in lines if line.startswith("docker  ")]
    assert "missing" in line
    assert "apt install docker.io" in line


@pytest.mark.docker
def test_a_daemon_is_named_with_its_version_and_place(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    found = {finding["name"]: finding for finding in run("doctor", "--json").json}
    assert found["docker library"]["state"] == found["docker"]["state"] == "ok"
    assert "API 1." in found["docker"]["detail"]
    assert "on this host" in found["docker"]["detail"]
