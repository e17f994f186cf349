"""Containers: ours, with the mirror shared and inside, beside what Docker offers.

Everything lies in memory. `docker cp` and the archive calls get a directory of the host that
is mounted into a container, as a mirror is; into a `tmpfs` of the container they would write
without anybody seeing it.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import statistics
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.harness import Row
from tests.sync import daemon
from vshell import Workspace
from vshell.sync.container import Container

CHANGED = 10
CACHED = 10_000
_IDLE = ["sh", "-c", "while :; do sleep 100; done"]
Times = dict[str, dict[str, list[float]]]


def run(place: Path, source: Path, *, rounds: int, cached: int = CACHED) -> list[Row]:
    """Return what was measured; say so when there is no daemon.

    Args:
        place: A directory in memory.
        source: The files.
        rounds: How often.
        cached: How many files a cache has.
    """
    reason = daemon.missing()
    if reason:
        print(f"\nNothing was measured with containers: {reason}")
        return []
    times: Times = {}
    with Workspace.memory() as ws:
        ws.import_directory(source)
        shared = place / "peer"
        shared.mkdir()
        peer = daemon.client().containers.run(
            daemon.image(),
            _IDLE,
            detach=True,
            network_mode="none",
            volumes={str(shared): {"bind": "/peer", "mode": "rw"}},
        )
        bind = ws.container(daemon.image(), name="bind", transport="bind")
        stream = ws.container(daemon.image(), name="stream", transport="stream")
        try:
            for _ in range(max(2, rounds // 3)):
                _full(times, ws, peer, shared, source)
            bind.exec("true")
            stream.exec("true")
            shutil.copytree(source, shared / "tree", dirs_exist_ok=True)
            for number in range(rounds):
                _changes(times, ws, (bind, stream), peer, source, number)
            _commands(times, (bind, stream), peer, rounds)
            _caches(times, bind, stream, cached, rounds)
        finally:
            peer.remove(force=True)
            bind.remove()
            stream.remove()
    return [
        Row(name, {who: statistics.median(found) for who, found in times[name].items()})
        for name in times
    ]


def _note(times: Times, row: str, contender: str, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    times.setdefault(row, {}).setdefault(contender, []).append(time.perf_counter() - start)


def _full(times: Times, ws: Workspace, peer: Any, shared: Path, source: Path) -> None:
    row = "full push"
    for name in ("bind", "stream"):
        container = ws.container(daemon.image(), name=f"full-{name}", transport=name)
        container._attach()
        _note(times, row, f"vshell, {name}", container.push)
        container.remove()
    _note(times, row, "docker cp", lambda: _docker("cp", f"{source}/.", f"{peer.id}:/peer/cp"))
    (shared / "put").mkdir()
    _note(times, row, "put_archive", lambda: peer.put_archive("/peer/put", _packed(source)))
    script = f"tar -C {source} -cf - . | docker exec -i {peer.id} tar -C /peer/exec -xf -"
    (shared / "exec").mkdir()
    _note(times, row, "exec tar", lambda: subprocess.run(script, shell=True, check=True))
    for name in ("cp", "put", "exec"):
        shutil.rmtree(shared / name)


def _changes(
    times: Times,
    ws: Workspace,
    containers: tuple[Container, Container],
    peer: Any,
    source: Path,
    number: int,
) -> None:
    chance = random.Random(number)
    paths = [entry.path for entry in ws.files.walk_details("/") if entry.kind == 1]
    paths = [path for path in paths if not path.startswith("/.vshell")]
    names = ("vshell, bind", "vshell, stream")
    some = chance.sample(paths, CHANGED)
    for path in some:
        ws.write(path, chance.randbytes(10_000))
    data = _packed(source, [path[1:] for path in some])
    row = f"push of {CHANGED} changed"
    for name, container in zip(names, containers, strict=True):
        _note(times, row, name, container.push)
        _note(times, "nothing changed", name, container.sync)
    _note(times, row, "put_archive", lambda: peer.put_archive("/peer/tree", data))
    some = chance.sample(paths, CHANGED)
    script = "; ".join(f"head -c 10000 /dev/urandom >.{path}" for path in some)
    listing = "find . -printf '%y %m %s %T@ %C@ %p\\0'"
    for name, container in zip(names, containers, strict=True):
        container.sync()
        peer_of = daemon.client().containers.get(container._full_name)
        peer_of.exec_run(["sh", "-c", script], workdir="/workspace")
        _note(times, f"detect {CHANGED} changed", name, container.status)
        _note(times, f"pull of {CHANGED} changed", name, container.pull)
        container.sync()
    _note(
        times,
        f"detect {CHANGED} changed",
        "find by exec",
        lambda: peer.exec_run(["sh", "-c", listing], workdir="/peer/tree"),
    )
    names_in = " ".join(f".{path}" for path in some)
    _note(
        times,
        f"pull of {CHANGED} changed",
        "exec tar",
        lambda: peer.exec_run(["sh", "-c", f"tar -cf - {names_in}"], workdir="/peer/tree"),
    )
    _note(
        times,
        f"pull of {CHANGED} changed",
        "get_archive",
        lambda: [b"".join(peer.get_archive(f"/peer/tree{path}")[0]) for path in some],
    )


def _commands(
    times: Times, containers: tuple[Container, Container], peer: Any, rounds: int
) -> None:
    for container in containers:
        container.exec("true")
    for _ in range(rounds):
        for name, container in zip(("vshell, bind", "vshell, stream"), containers, strict=True):
            _note(times, "a job of `true`", name, lambda: container.exec(["true"]))  # noqa: B023
        _note(times, "a job of `true`", "docker exec", lambda: _docker("exec", peer.id, "true"))


def _caches(times: Times, bind: Container, stream: Container, cached: int, rounds: int) -> None:
    make = (
        f"mkdir -p node_modules && cd node_modules && seq {cached} |"
        ' awk \'{d=int($1/100); if (!(d in s)) {system("mkdir -p " d); s[d]=1};'
        ' print $1 > (d "/" $1); close(d "/" $1)}\''
    )
    for name, container in (("vshell, bind", bind), ("vshell, stream", stream)):
        container.sync()
        for _ in range(rounds):
            _note(times, "sync without a cache", name, container.sync)
        container.exec(make)
        container.sync()
        for _ in range(rounds):
            _note(times, f"sync beside a cache of {cached} files", name, container.sync)


def _packed(source: Path, paths: list[str] | None = None) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for path in paths or ["."]:
            archive.add(source / path, path)
    return output.getvalue()


def _docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, stdout=subprocess.DEVNULL, env=os.environ)


def print_targets(rows: list[Row], cached: int = CACHED) -> None:
    """Print which of the targets are met."""
    found = {row.name: row.seconds for row in rows}
    bind, stream = "vshell, bind", "vshell, stream"
    full, push = found["full push"], found[f"push of {CHANGED} changed"]
    cost_s = (
        found[f"sync beside a cache of {cached} files"][bind] - found["sync without a cache"][bind]
    )
    checks = {
        "full push, shared, at most 1/5 of docker cp": full[bind] <= full["docker cp"] / 5,
        f"push of {CHANGED}, shared, at most 15 ms": push[bind] <= 0.015,
        f"push of {CHANGED}, inside, at most 1/5 of put_archive": push[stream]
        <= push["put_archive"] / 5,
        f"detect {CHANGED}, shared, at most 25 ms": found[f"detect {CHANGED} changed"][bind]
        <= 0.025,
        "nothing changed, shared, at most 10 ms": found["nothing changed"][bind] <= 0.010,
        f"pull of {CHANGED}, shared, at most 40 ms": found[f"pull of {CHANGED} changed"][bind]
        <= 0.040,
        "a cache costs at most 5 ms": cost_s <= 0.005,
        "a job of `true` at most 1.5 times docker exec": found["a job of `true`"][bind]
        <= 1.5 * found["a job of `true`"]["docker exec"],
    }
    print()
    for name, met in checks.items():
        print(f"- {name}: {'met' if met else 'missed'}")
