"""The Docker daemon that tests marked `docker` need.

Where there is none they are skipped. `VSHELL_REQUIRE=docker` makes that a failure, so
that nobody takes a run without them for a run with them. Tests marked `registry` also
need a package registry, and `VSHELL_REQUIRE=docker,registry` requires them too.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest

from tests.sync.image import plain_image as build_plain_image
from tests.sync.image import test_image as build_image
from tests.sync.image import tools

NEEDED = ("docker", "registry")


def prepare(item: pytest.Item) -> None:
    """Skip a test that needs what is not here, or fail it if that is required."""
    required = os.environ.get("VSHELL_REQUIRE", "").split(",")
    if "registry" not in required and item.get_closest_marker("registry"):
        pytest.skip("asks a package registry; VSHELL_REQUIRE=docker,registry runs it")
    if not item.get_closest_marker("docker"):
        return
    reason = missing()
    if reason and "docker" in required:
        pytest.fail(f"VSHELL_REQUIRE=docker, but {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


def need(*names: str) -> None:
    """Skip a test whose programs the image does not have, or fail it if they are required."""
    lacking = set(names) - tools()
    if lacking and "docker" in os.environ.get("VSHELL_REQUIRE", ""):
        pytest.fail(f"the test image has no {', '.join(sorted(lacking))}", pytrace=False)
    if lacking:
        pytest.skip(f"the test image has no {', '.join(sorted(lacking))}")


@cache
def missing() -> str | None:
    """Return why there can be no container; None if there can."""
    try:
        client()
    except Exception as error:  # noqa: BLE001 - the SDK raises errors of several libraries
        return f"no Docker daemon answers: {type(error).__name__}"
    return None


@cache
def client() -> Any:
    """Return a client of the daemon."""
    import docker

    made = docker.from_env()
    made.ping()
    return made


@cache
def image() -> str:
    """Return the name of the test image, after building it if there is none."""
    return build_image(client())


@cache
def plain_image() -> str:
    """Return the name of an image that has BusyBox's programs only."""
    return build_plain_image(client())
