"""Storage: each call its own transaction with `durability="process"`."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.harness import Row, interleave, print_table
from tests.bench.stores import AgentFs, FsspecMemory, PlainFiles, Store, Vshell
from vshell import Workspace
from vshell.ops.transfer import export_directory, import_directory

FILE_BYTES = 2048
BURST = 20


def run(*, quick: bool) -> None:
    """Measure and print; `quick` only shows that everything runs."""
    files = 200 if quick else 2000
    with tempfile.TemporaryDirectory(prefix="vshell-bench-") as name:
        directory = Path(name)
        contenders: dict[str, Store] = {
            "vshell": Vshell(directory),
            "plain file": PlainFiles(directory),
            "agentfs": AgentFs(directory),
            "fsspec memory": FsspecMemory(directory),
        }
        print_table(f"{files} files of 2 KB, each call alone", small_files(contenders, files))
        large = 4 if quick else 64
        print_table(f"One file of {large} MB", large_file(contenders, large << 20, quick=quick))
        for store in contenders.values():
            store.close()
        print_table("Whole workspaces", workspaces(directory, 20 if quick else 200))
        print_table("Trees", trees(directory, quick=quick))
        print_table("Diff", diffs(directory, quick=quick))
        statements(directory)


def small_files(stores: dict[str, Store], files: int) -> list[Row]:
    contents = {name: _contents(files, name) for name in stores}
    newer = {name: _contents(files, f"{name} again") for name in stores}

    def writing(store: Store, data: list[bytes]) -> Callable[[int], None]:
        return lambda number: store.write(f"/f{number}", data[number])

    def reading(store: Store) -> Callable[[int], bytes]:
        return lambda number: store.read(f"/f{number}")

    def looking(store: Store) -> Callable[[int], object]:
        return lambda number: store.stat(f"/f{number}")

    return [
        interleave(
            "create",
            {name: writing(store, contents[name]) for name, store in stores.items()},
            rounds=files,
            burst=BURST,
            target={"plain file": 3, "agentfs": 30},
        ),
        interleave(
            "read_bytes",
            {name: reading(store) for name, store in stores.items()},
            rounds=files,
            burst=BURST,
            target={"plain file": 1.5},
        ),
        interleave(
            "overwrite",
            {name: writing(store, newer[name]) for name, store in stores.items()},
            rounds=files,
            burst=BURST,
            target={"plain file": 2},
        ),
        interleave(
            "stat",
            {name: looking(store) for name, store in stores.items()},
            rounds=files,
            burst=BURST,
            target={"plain file": 1},
        ),
    ]


def large_file(stores: dict[str, Store], size: int, *, quick: bool) -> list[Row]:
    rounds = 2 if quick else 5
    data = [random.Random(number).randbytes(size) for number in range(rounds)]

    def writing(store: Store) -> Callable[[int], None]:
        return lambda number: store.write("/large", data[number])

    def reading(store: Store) -> Callable[[int], bytes]:
        return lambda _: store.read("/large")

    target = {"plain file": 0.5}
    return [
        interleave(
            "write",
            {name: writing(store) for name, store in stores.items()},
            rounds=rounds,
            target=target,
        ),
        interleave(
            "read",
            {name: reading(store) for name, store in stores.items()},
            rounds=rounds,
            target=target,
        ),
    ]


def workspaces(directory: Path, rounds: int) -> list[Row]:
    """Opening and making them; both should take less than a millisecond."""
    existing = directory / "existing.db"
    with Workspace.open(existing) as workspace:
        workspace.write("/file", b"content")

    opened: list[Workspace] = []

    def open_and_read(_: int) -> None:
        workspace = Workspace.open(existing)
        opened.append(workspace)
        workspace.read_bytes("/file")

    def make(number: int) -> None:
        opened.append(Workspace.open(directory / f"new{number}.db"))

    rows = [
        interleave("open + first read", {"vshell": open_and_read}, rounds=rounds),
        interleave("new workspace", {"vshell": make}, rounds=rounds),
    ]
    for workspace in opened:
        workspace.close()
    return rows


def trees(directory: Path, *, quick: bool) -> list[Row]:
    rows = []
    with Workspace.memory() as workspace:
        for files in (20, 500 if quick else 3000):
            with workspace.transaction():
                for number in range(files):
                    workspace.write(f"/d{files}/f{number}", b"content")

            def rename(number: int, files: int = files) -> None:
                old, new = (f"/d{files}", f"/e{files}")[:: 1 if number % 2 == 0 else -1]
                workspace.mv(old, new)

            rows.append(
                interleave(f"rename a directory of {files} files", {"vshell": rename}, rounds=100)
            )
    return [*rows, _import(directory, quick=quick)]


def _import(directory: Path, *, quick: bool) -> Row:
    source = real_tree(directory / "tree", 400 if quick else 4000)
    targets = [directory / f"import{number}.db" for number in range(3)]

    def importing(number: int) -> None:
        with Workspace.open(targets[number]) as workspace:
            import_directory(workspace, source, "/")

    def git_add(number: int) -> None:
        environment = os.environ | {"GIT_DIR": str(directory / f"git{number}")}
        for command in (["init", "-q"], ["--work-tree", str(source), "add", "-A", "."]):
            subprocess.run(["git", *command], cwd=source, env=environment, check=True)

    row = interleave(
        "import of a tree of real files",
        {"vshell": importing, "git add -A": git_add},
        rounds=3,
        target={"git add -A": 1},
    )
    exported = directory / "exported"
    with Workspace.open(targets[0]) as workspace:
        export_directory(workspace, "/", exported)
    subprocess.run(["diff", "-r", "--no-dereference", source, exported], check=True)
    return row


def real_tree(target: Path, files: int) -> Path:
    """Copy that many of Python's own files, with their directories."""
    source = Path(os.__file__).parent
    copied = 0
    while copied < files:
        for path in sorted(source.rglob("*.py")):
            place = target / str(copied // 1500) / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
            copied += 1
            if copied == files:
                break
    return target


def diffs(directory: Path, *, quick: bool) -> list[Row]:
    """A change in every tenth line of 10,000; git for comparison."""
    lines = 1000 if quick else 10_000
    rng = random.Random(1)
    old = [f"line {number} {rng.random()}\n" for number in range(lines)]
    new = [f"changed {number}\n" if number % 10 == 5 else line for number, line in enumerate(old)]
    for name, content in (("old", old), ("new", new)):
        (directory / name).write_text("".join(content))
    with Workspace.memory() as workspace:
        workspace.write("/old", "".join(old))
        workspace.write("/new", "".join(new))

        def git(_: int) -> None:
            subprocess.run(
                ["git", "diff", "--no-index", "old", "new"],
                cwd=directory,
                check=False,
                stdout=subprocess.DEVNULL,
            )

        return [
            interleave(
                f"{lines} lines, 10 % changed",
                {"vshell": lambda _: workspace.diff("/old", "/new").patch, "git, spawned": git},
                rounds=3 if quick else 20,
            )
        ]


def statements(directory: Path) -> None:
    """Print how many SQL statements the operations take, transactions included."""
    with Workspace.open(directory / "statements.db") as workspace:
        with workspace.transaction():
            for number in range(3000):
                workspace.write(f"/d/f{number}.txt", b"content")
        calls: dict[str, Callable[[], object]] = {
            "read_bytes": lambda: workspace.read_bytes("/d/f7.txt"),
            "stat": lambda: workspace.stat("/d/f8.txt"),
            "write (new)": lambda: workspace.write("/d/new", b"new content"),
            "write (overwrite)": lambda: workspace.write("/d/f9.txt", b"newer content"),
            "glob": lambda: workspace.glob("/d/**/*.txt"),
            "mv of 3,000 files": lambda: workspace.mv("/d", "/moved"),
        }
        print(
            "\n### SQL statements, with only the directory known\n\n| | statements | of them begin, commit |"
        )
        print("|---|---|---|")
        for name, call in calls.items():
            workspace.files.store.tree.forget()
            workspace.ls("/d" if workspace.exists("/d") else "/")
            workspace.files.revision()
            with workspace.files.store.database.count_statements() as counter:
                call()
            frame = sum(sql.startswith(("begin", "commit")) for sql in counter.statements)
            print(f"| {name} | {len(counter)} | {frame} |")


def _contents(files: int, seed: str) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(FILE_BYTES) for _ in range(files)]
