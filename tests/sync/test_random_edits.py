"""Both sides are edited at random and synchronised at random: nothing is ever lost.

A model knows what each side wrote. Whatever the content of a file ever was when both
sides were synchronised must be in the workspace, in the mirror, in a conflict, or have
been overwritten or removed knowingly on the side that had seen it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.sync.trees import Shown, directory_tree, workspace_tree
from vshell import Workspace
from vshell.errors import ConflictError, VshellError
from vshell.sync.planner import Policy

NAMES = st.sampled_from(["a", "b", "c.d", "e"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TEXTS = st.sampled_from(["one\n", "two\n", "three\n", "", "x" * 5000])
MODES = st.sampled_from([0o644, 0o755, 0o600])
POLICIES: list[Policy] = ["safe", "workspace-wins", "container-wins", "merge"]


class TwoSides(RuleBasedStateMachine):
    """Edits, and synchronisations in every direction and with every policy."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.mkdtemp(prefix="vshell-test-")
        self.root = Path(self.place, "mirror")
        self.root.mkdir()
        self.ws = Workspace.memory()
        self.number = 0
        self.in_sync = True

    def teardown(self) -> None:
        self.ws.close()
        shutil.rmtree(self.place)

    def text(self, text: str) -> str:
        """Return text that nobody wrote before, so that it can be told where it is."""
        self.number += 1
        return f"{self.number} {text}"

    def edit(self, work: Callable[[], object]) -> None:
        self.in_sync = False
        try:
            work()
        except (OSError, VshellError):
            return  # something else is in the way there

    # The workspace.

    @rule(path=PATHS, text=TEXTS)
    def write(self, path: str, text: str) -> None:
        self.edit(lambda: self.ws.write(f"/{path}", self.text(text)))

    @rule(path=PATHS)
    def make_directory(self, path: str) -> None:
        self.edit(lambda: self.ws.mkdir(f"/{path}", parents=True))

    @rule(path=PATHS)
    def link(self, path: str) -> None:
        self.edit(lambda: self.ws.symlink(self.text("target"), f"/{path}"))

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        self.edit(lambda: self.ws.rm(f"/{path}", recursive=True))

    @rule(old=PATHS, new=PATHS)
    def rename(self, old: str, new: str) -> None:
        self.edit(lambda: self.ws.mv(f"/{old}", f"/{new}"))

    @rule(old=PATHS, new=PATHS)
    def hard_link(self, old: str, new: str) -> None:
        self.edit(lambda: self.ws.link(f"/{old}", f"/{new}"))

    @rule(path=PATHS, mode=MODES)
    def set_mode(self, path: str, mode: int) -> None:
        # A directory keeps its owner's rights in the mirror, so that it can be looked at.
        def work() -> None:
            is_directory = self.ws.stat(f"/{path}").kind == "directory"
            self.ws.chmod(f"/{path}", mode | 0o700 if is_directory else mode)

        self.edit(work)

    @rule()
    def undo(self) -> None:
        self.edit(lambda: self.ws.undo(force=True))

    # The mirror.

    @rule(path=PATHS, text=TEXTS)
    def write_there(self, path: str, text: str) -> None:
        def work() -> None:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(self.text(text))

        self.edit(work)

    @rule(path=PATHS, text=TEXTS)
    def replace_there(self, path: str, text: str) -> None:
        def work() -> None:
            new = self.root / "new"
            new.write_text(self.text(text))
            try:
                new.rename(self.root / path)
            except OSError:
                new.unlink()

        self.edit(work)

    @rule(path=PATHS)
    def make_directory_there(self, path: str) -> None:
        self.edit(lambda: (self.root / path).mkdir(parents=True))

    @rule(path=PATHS)
    def link_there(self, path: str) -> None:
        self.edit(lambda: (self.root / path).symlink_to(self.text("target")))

    @rule(path=PATHS)
    def remove_there(self, path: str) -> None:
        place = self.root / path

        def work() -> None:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()

        self.edit(work)

    @rule(old=PATHS, new=PATHS)
    def rename_there(self, old: str, new: str) -> None:
        self.edit(lambda: (self.root / old).rename(self.root / new))

    @rule(path=PATHS, mode=MODES)
    def set_mode_there(self, path: str, mode: int) -> None:
        place = self.root / path

        def work() -> None:
            if not place.is_dir() and not place.is_symlink():
                os.chmod(place, mode)

        self.edit(work)

    # Both.

    def before(self) -> tuple[dict[str, Shown], dict[str, Shown], dict[str, Shown]]:
        return workspace_tree(self.ws), directory_tree(self.root), self.agreed()

    def agreed(self) -> dict[str, Shown]:
        rows = self.ws.files.store.database.rows(
            "select path, kind, content, mode from mirror_base"
        )
        found: dict[str, Shown] = {}
        for path, kind, content, mode in rows:
            name = "/" + os.fsdecode(path.replace(b"\0", b"/"))
            data = self.ws.files.content(content)
            found[name] = (("file", "directory", "symlink")[kind - 1], data, mode)
        return found

    def nothing_is_lost(
        self, before: tuple[dict[str, Shown], dict[str, Shown], dict[str, Shown]]
    ) -> None:
        workspace, mirror, agreed = before
        after, there = workspace_tree(self.ws), directory_tree(self.root)
        kept: set[tuple[str, bytes]] = set()
        for conflict in self.ws.mirror(self.root).conflicts(resolved=True):
            for side in (conflict.workspace, conflict.mirror):
                if side is not None and side.kind != "directory":
                    data = self.ws.files.read_hash(bytes.fromhex(side.hash))
                    kept.add((conflict.path, data))
        for tree in (workspace, mirror):
            for path, shown in tree.items():
                if shown[0] == "directory" or agreed.get(path, ("", b"", 0))[:2] == shown[:2]:
                    continue
                places = (after.get(path), there.get(path))
                assert (path, shown[1]) in kept or any(
                    place is not None and place[:2] == shown[:2] for place in places
                ), f"lost: {path}"

    @rule(policy=st.sampled_from(POLICIES))
    def synchronise(self, policy: Policy) -> None:
        before = self.before()
        mirror = self.ws.mirror(self.root, policy=policy)
        result = mirror.sync(allow_emptied=True)
        assert not result.skipped
        if policy != "merge":
            self.nothing_is_lost(before)
        assert workspace_tree(self.ws) == directory_tree(self.root)
        self.in_sync = True

    @rule()
    def push(self) -> None:
        before = self.before()
        with suppress(ConflictError):  # the mirror is empty
            self.ws.mirror(self.root).push()
        self.nothing_is_lost(before)
        assert workspace_tree(self.ws) == before[0]

    @rule()
    def pull(self) -> None:
        before = self.before()
        self.ws.mirror(self.root).pull(allow_emptied=True)
        self.nothing_is_lost(before)
        assert directory_tree(self.root) == before[1]

    @precondition(lambda self: self.in_sync)
    @rule()
    def stay(self) -> None:
        result = self.ws.mirror(self.root).sync()
        assert not result.changed
        assert not result.conflicts

    @invariant()
    def nothing_is_left_over(self) -> None:
        assert not list(self.root.rglob(".vshell-*"))


TestTwoSides = TwoSides.TestCase
TestTwoSides.settings = settings(max_examples=40, stateful_step_count=20)
