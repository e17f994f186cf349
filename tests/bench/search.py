"""Search, beside ripgrep on the same files on disk, with all cores and warm caches."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.harness import Row, interleave, print_table, readable
from vshell import Workspace

MAX_FILE_BYTES = 2 * 1024 * 1024


def run(*, quick: bool, tree: Path | None = None) -> None:
    """Measure and print.

    Args:
        quick: Only show that everything runs.
        tree: The files to search; by default those of this Python.
    """
    if shutil.which("rg") is None:
        raise SystemExit("error: ripgrep is not installed; apt-get install ripgrep")
    sizes = [300] if quick else [4000, 30_000]
    for files in sizes:
        with tempfile.TemporaryDirectory(prefix="vshell-bench-") as name:
            measure(Path(name), collect(Path(name, "tree"), tree, files), rounds=3 if quick else 7)


def collect(target: Path, tree: Path | None, files: int) -> Path:
    """Copy so many different text files to `target`."""
    source = tree or Path(sysconfig.get_path("stdlib"))
    paths = sorted(path for path in source.rglob("*") if path.is_file() and not path.is_symlink())
    random.Random(1).shuffle(paths)
    seen: set[bytes] = set()
    for path in paths:
        if len(seen) == files:
            break
        if path.stat().st_size > MAX_FILE_BYTES:
            continue
        data = path.read_bytes()
        digest = hashlib.sha256(data).digest()
        if data and b"\0" not in data and digest not in seen:
            seen.add(digest)
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    return target


def measure(directory: Path, tree: Path, *, rounds: int) -> None:
    database = directory / "search.db"
    with Workspace.open(database) as ws:
        ws.import_directory(str(tree))
        usage = ws.usage()
        start = time.perf_counter()
        ws.index()
        built = time.perf_counter() - start
        index_bytes = ws.usage().index_bytes
        title = f"{usage.files} files, {usage.live_bytes / 1e6:.0f} MB"
        queries = _queries(tree)
        rows = [_row(ws, tree, *query, rounds=rounds) for query in queries]
        rows.append(_glob_row(ws, tree, rounds))
        rows.append(_tail_row(ws, queries[0], rounds))
        tracemalloc.start()
        ws.grep("return", max_matches=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    rows.append(_new_connection_row(database, tree, queries[0], rounds))
    print_table(title, rows)
    print(
        f"\nIndex: built in {readable(built)} ({usage.content_bytes / built / 1e6:.0f} MB/s),"
        f" {index_bytes / usage.content_bytes:.0%} of the text. Peak memory of Python while"
        f" printing every `return`: {peak / 1e6:.0f} MB."
    )


Query = tuple[str, str, dict[str, Any], list[str], float]


def _queries(tree: Path) -> list[Query]:
    rare = _rare_word(tree)
    everything = {"max_matches": 10_000_000}
    return [
        ("rare literal", rare, {"literal": True}, ["-F", rare], 20),
        (
            "no match",
            "no_such_w0rd_anywhere",
            {"literal": True},
            ["-F", "no_such_w0rd_anywhere"],
            20,
        ),
        (
            "case-insensitive literal",
            rare.upper(),
            {"literal": True, "ignore_case": True},
            ["-F", "-i", rare.upper()],
            10,
        ),
        ("rare regex with a literal part", rf"{rare[:-1]}\w", {}, [rf"{rare[:-1]}\w"], 5),
        ("TODO\\|FIXME\\|XXX", "TODO|FIXME|XXX", everything, ["TODO|FIXME|XXX"], 3),
        ("first 250 of `return`", "return", {"max_matches": 250}, ["return"], 10),
        ("every `return`", "return", everything, ["return"], 1),
        ("regex without a literal", r"\b[a-z]{14}\b", everything, [r"\b[a-z]{14}\b"], 1),
    ]


def _rare_word(tree: Path) -> str:
    """Return a word of ten letters that is in few files of the tree."""
    counts: Counter[bytes] = Counter()
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            counts.update(set(re.findall(rb"\b[a-z]{10}\b", path.read_bytes())))
    return min(counts, key=lambda word: (abs(counts[word] - 3), word)).decode()


def _row(
    ws: Workspace,
    tree: Path,
    name: str,
    pattern: str,
    options: dict[str, Any],
    words: list[str],
    target: float,
    *,
    rounds: int,
) -> Row:
    return interleave(
        name,
        {"vshell": lambda _: ws.grep(pattern, **options), "rg": _ripgrep(tree, words)},
        rounds=rounds,
        target={"rg": target},
    )


def _ripgrep(tree: Path, words: list[str]) -> Callable[[int], object]:
    command = ["rg", "--line-number", "--no-ignore", "--hidden", *words, str(tree)]
    return lambda _: subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def _glob_row(ws: Workspace, tree: Path, rounds: int) -> Row:
    return interleave(
        "glob `**/*.py` or `**/*.h`",
        {
            "vshell": lambda _: ws.glob("**/*.{py,h}"),
            "rg": _ripgrep(tree, ["--files", "-g", "**/*.py", "-g", "**/*.h"]),
        },
        rounds=rounds,
        target={"rg": 3},
    )


def _tail_row(ws: Workspace, query: Query, rounds: int) -> Row:
    """What 200 files that were just written add to a search."""
    _, pattern, options, _, _ = query

    def write_and_search(number: int) -> float:
        with ws.transaction():
            for file in range(200):
                ws.write(f"/tail/{file}", f"fresh text {number} {file}\n" * 40)
        start = time.perf_counter()
        ws.grep(pattern, **options)
        return time.perf_counter() - start

    times = sorted(write_and_search(number) for number in range(rounds))
    return Row("rare literal after 200 writes", {"vshell": times[len(times) // 2]})


def _new_connection_row(database: Path, tree: Path, query: Query, rounds: int) -> Row:
    _, pattern, options, words, _ = query

    def search(_: int) -> None:
        with Workspace.open(database) as ws:
            ws.grep(pattern, **options)

    return interleave(
        "rare literal, new connection",
        {"vshell": search, "rg": _ripgrep(tree, words)},
        rounds=rounds,
        target={"rg": 5},
    )
