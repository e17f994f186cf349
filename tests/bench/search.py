"""Search, beside ripgrep on the same files on disk, with all cores and warm caches."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
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
        raise SystemExit("error: ripgrep is not installed; apt-get install ripgrep fd-find tree")
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
        rows += _path_rows(ws, tree, rounds)
        rows.append(_tail_row(ws, queries[0], rounds))
    rows.append(_new_connection_row(database, tree, queries[0], rounds))
    print_table(title, rows)
    print(
        f"\nIndex: built in {readable(built)} ({usage.content_bytes / built / 1e6:.0f} MB/s),"
        f" {index_bytes / usage.content_bytes:.0%} of the text. Peak memory of a process that"
        f" imports vshell: {_peak_memory(database, 'pass'):.0f} MB; that builds the index:"
        f" {_peak_memory(database, 'ws.index(rebuild=True)'):.0f} MB; that makes a result of"
        f" 10,000 lines with `return`: {_peak_memory(database, PAGE):.0f} MB; of all of them:"
        f" {_peak_memory(database, EVERYTHING):.0f} MB; of a pattern without a literal:"
        f" {_peak_memory(database, NO_LITERAL):.0f} MB."
    )


PAGE = "ws.grep('return', max_matches=10_000)"
EVERYTHING = "ws.grep('return', max_matches=10_000_000)"
NO_LITERAL = r"ws.grep(r'\b[a-z]{14}\b', max_matches=10_000_000)"


def _peak_memory(database: Path, statement: str) -> float:
    """Return how many megabytes a process has at most while it runs a statement on `ws`."""
    code = (
        "import sys\nfrom vshell import Workspace\n"
        f"with Workspace.open(sys.argv[1]) as ws:\n    {statement}\n"
        "with open('/proc/self/status') as status:\n"
        "    print(next(line.split()[1] for line in status if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(database)], stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout) * 1024 / 1e6


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
        ("count of `return`", "return", {"mode": "count"}, ["-c", "return"], 1),
        ("files with `return`", "return", {"mode": "files"}, ["-l", "return"], 1),
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
        {"vshell": lambda _: _all_pages(ws, pattern, options), "rg": _ripgrep(tree, words)},
        rounds=rounds,
        target={"rg": target},
    )


def _all_pages(ws: Workspace, pattern: str, options: dict[str, Any]) -> None:
    """Search, and where a result ends before the wanted number of matches, go on."""
    offset: int | None = 0
    while offset is not None:
        result = ws.grep(pattern, offset=offset, **options)
        offset = result.next_offset if result.truncated_by == "characters" else None


def _ripgrep(tree: Path, words: list[str]) -> Callable[[int], object]:
    command = ["rg", "--line-number", "--no-ignore", "--hidden", *words, str(tree)]
    return lambda _: subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def _path_rows(ws: Workspace, tree: Path, rounds: int) -> list[Row]:
    """Measure what lists paths, beside what lists them on disk."""
    shell = ws.shell()
    calls: list[tuple[str, Callable[[int], object], dict[str, list[str]], dict[str, float]]] = [
        (
            "glob `**/*.py` or `**/*.h`",
            lambda _: ws.glob("**/*.{py,h}"),
            {
                "rg": ["rg", *_EVERYTHING, "--files", "-g", "**/*.py", "-g", "**/*.h"],
                "fd": ["fd", *_EVERYTHING, "-g", "*.{py,h}"],
            },
            {"rg": 3},
        ),
        (
            "glob `**`, all paths",
            lambda _: ws.glob("**"),
            {"rg": ["rg", *_EVERYTHING, "--files"], "fd": ["fd", *_EVERYTHING]},
            {"rg": 1, "fd": 1},
        ),
        (
            "find by name, `Makefile`",
            lambda _: ws.find(name="Makefile"),
            {
                "rg": ["rg", *_EVERYTHING, "--files", "-g", "Makefile"],
                "fd": ["fd", *_EVERYTHING, "-g", "Makefile"],
            },
            {"rg": 1, "fd": 1},
        ),
        ("find, all entries", lambda _: ws.find(), {"fd": ["fd", *_EVERYTHING]}, {"fd": 1}),
        ("tree, all nodes", lambda _: ws.tree(), {"fd": ["fd", *_EVERYTHING]}, {"fd": 1}),
        (
            "shell: find -name '*.h'",
            lambda _: shell.run("find / -name '*.h' > /dev/null"),
            {"fd": ["fd", *_EVERYTHING, "-g", "*.h"], "same": ["find", ".", "-name", "*.h"]},
            {"fd": 1},
        ),
        (
            "shell: ls -R",
            lambda _: shell.run("ls -R / > /dev/null"),
            {"same": ["ls", "-R"]},
            {"same": 1},
        ),
        (
            "shell: tree",
            lambda _: shell.run("tree / > /dev/null"),
            {"same": ["tree"]},
            {"same": 1},
        ),
    ]
    try:
        return [
            interleave(
                name,
                {"vshell": ours} | {tool: _program(tree, words) for tool, words in theirs.items()},
                rounds=rounds,
                target=target,
            )
            for name, ours, theirs, target in calls
        ]
    finally:
        shell.close()


_EVERYTHING = ["--hidden", "--no-ignore"]


def _program(tree: Path, words: list[str]) -> Callable[[int], object]:
    """Return what runs a program in the tree; Debian gives `fd` another name."""
    name = shutil.which(words[0]) or shutil.which({"fd": "fdfind"}.get(words[0], words[0]))
    if name is None:
        raise SystemExit(f"error: {words[0]} is not installed; apt-get install fd-find tree")
    command = [name, *words[1:]]
    return lambda _: subprocess.run(command, cwd=tree, stdout=subprocess.DEVNULL, check=False)


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
