"""A workspace with its history, driven by random operations beside a plain model of it.

The model knows trees as dictionaries and the past as a list of them. It knows nothing of
rows, contents, images or journals; after each step the workspace must show the same.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.fs.workspaces import Clock
from vshell import Workspace
from vshell.errors import ConflictError, NotFoundError, RangeError, StaleError, VshellError
from vshell.ops.merge import Policy
from vshell.ops.read import Moment

pytestmark = pytest.mark.slow

EXAMPLES = 1500 if os.environ.get("VSHELL_HYPOTHESIS") == "explore" else 25

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
CONTENTS = st.binary(max_size=6) | st.sampled_from([b"", b"x" * 300_000])
NO_TEXTS = st.binary(max_size=2).map(lambda data: b"\0" + data)
"""Nothing of it is merged line by line."""
MERGED = ["/m/x", "/m/y", "/m/z"]


@dataclass
class Node:
    """What one or several paths lead to: data is None for a directory."""

    data: bytes | None
    mode: int
    target: str | None = None


Tree = dict[str, Node]


def shown(tree: Tree) -> dict[str, tuple[object, ...]]:
    """Return what can be compared: which paths are one file is told by the first of them."""
    first: dict[int, str] = {}
    return {
        path: (node.data, node.mode, node.target, first.setdefault(id(node), path))
        for path, node in sorted(tree.items())
    }


def seen(ws: Workspace) -> dict[str, tuple[object, ...]]:
    """Return the same of a workspace."""
    found: dict[str, tuple[object, ...]] = {}
    first: dict[int, str] = {}
    for path in sorted(entry.path for entry in ws.files.walk("/")):
        stat = ws.lstat(path)
        data = ws.read_bytes(path) if stat.kind == "file" else None
        target = ws.readlink(path) if stat.kind == "symlink" else None
        found[path] = (data, stat.mode, target, first.setdefault(stat.inode, path))
    return found


def below(tree: Tree, path: str) -> list[str]:
    return [name for name in tree if name == path or name.startswith(f"{path}/")]


def make_parents(tree: Tree, path: str) -> None:
    parts = path.split("/")[1:-1]
    for end in range(1, len(parts) + 1):
        tree.setdefault("/" + "/".join(parts[:end]), Node(None, 0o755))


@dataclass
class Past:
    """The model of a workspace's history.

    Attributes:
        trees: The tree after each revision.
        state: Which revision's state an undo or a redo brought back, by its own revision.
        redo: Where the next redos lead to.
        first: The oldest revision whose state is known.
        last: The newest revision.
        snapshots: The trees that have names.
    """

    trees: dict[int, Tree] = field(default_factory=lambda: {0: {}})
    state: dict[int, int] = field(default_factory=dict)
    redo: list[int] = field(default_factory=list)
    first: int = 0
    last: int = 0
    snapshots: dict[str, Tree] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        return self.trees[self.last]

    def state_of(self, revision: int) -> int:
        return self.state.get(revision, revision)

    def walk_back(self, steps: int) -> tuple[int, list[int]] | None:
        """Return where so many undos lead, and what they undo; None if there are too few."""
        target, undone = self.last, list[int]()
        for _ in range(steps):
            state = self.state_of(target)
            if state <= self.first:
                return None
            undone.append(state)
            target = state - 1
        return target, undone


class HistoryModel(RuleBasedStateMachine):
    """Undo, redo, snapshots, forks, merges and past versions are what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="vshell-model-"))
        self.clock = Clock(1_700_000_000_000_000_000)
        self.ws = self._open()
        self.past = Past()
        self.forks = 0

    def _open(self) -> Workspace:
        return Workspace.open(self.directory / "agent.db", now=self.clock)

    def teardown(self) -> None:
        assert self.ws.check().problems == ()
        self.ws.gc()
        assert self.ws.check().problems == ()
        self.ws.close()
        shutil.rmtree(self.directory)

    # The tools of the rules.

    def _attempt(self, work: Callable[[], object], effect: Callable[[Tree], None]) -> bool:
        """Do something in both; what the workspace refuses, the model does not do either."""
        tree = copy.deepcopy(self.past.tree)
        try:
            work()
        except VshellError:
            return False
        effect(tree)
        self._note(tree)
        return True

    def _note(self, tree: Tree) -> None:
        revision = self.ws.files.revision()
        if revision == self.past.last:
            assert shown(tree) == shown(self.past.tree), "it changed something without a revision"
            return
        assert revision == self.past.last + 1
        self.past.trees[revision] = tree
        self.past.last = revision
        self.past.redo = []

    def _go_to(self, target: int, redo: list[int]) -> None:
        past = self.past
        state = past.state_of(target)
        tree = copy.deepcopy(past.trees[target])
        revision = self.ws.files.revision()
        assert revision in (past.last, past.last + 1)
        past.trees[revision] = tree
        past.last = revision
        past.state[revision] = state
        past.redo = redo

    # Changing.

    @rule(path=PATHS, data=CONTENTS)
    def write(self, path: str, data: bytes) -> None:
        def effect(tree: Tree) -> None:
            make_parents(tree, path)
            tree.setdefault(path, Node(b"", 0o644)).data = data

        self._attempt(lambda: self.ws.write(path, data), effect)

    @rule(path=PATHS, data=CONTENTS)
    def append(self, path: str, data: bytes) -> None:
        def effect(tree: Tree) -> None:
            make_parents(tree, path)
            node = tree.setdefault(path, Node(b"", 0o644))
            node.data = (node.data or b"") + data

        self._attempt(lambda: self.ws.append(path, data), effect)

    @rule(path=PATHS)
    def mkdir(self, path: str) -> None:
        def effect(tree: Tree) -> None:
            make_parents(tree, f"{path}/x")

        self._attempt(lambda: self.ws.mkdir(path, parents=True), effect)

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        def effect(tree: Tree) -> None:
            for name in below(tree, path):
                del tree[name]

        self._attempt(lambda: self.ws.rm(path, recursive=True), effect)

    @rule(source=PATHS, path=PATHS)
    def move(self, source: str, path: str) -> None:
        def effect(tree: Tree) -> None:
            if source == path or tree.get(source) is tree.get(path):
                return  # two names of one file stay two names
            make_parents(tree, path)
            tree.pop(path, None)
            for name in below(tree, source):
                tree[path + name[len(source) :]] = tree.pop(name)

        self._attempt(lambda: self.ws.mv(source, path), effect)

    @rule(source=PATHS, path=PATHS)
    def copy(self, source: str, path: str) -> None:
        if path in self.past.tree:
            return

        def effect(tree: Tree) -> None:
            make_parents(tree, path)
            copies: dict[int, Node] = {}
            for name in below(tree, source):
                node = tree[name]
                made = copies.setdefault(id(node), Node(node.data, node.mode, node.target))
                tree[path + name[len(source) :]] = made

        self._attempt(lambda: self.ws.cp(source, path, recursive=True), effect)

    @rule(path=PATHS, mode=st.sampled_from([0o600, 0o644, 0o755]))
    def chmod(self, path: str, mode: int) -> None:
        def effect(tree: Tree) -> None:
            tree[path].mode = mode

        self._attempt(lambda: self.ws.chmod(path, mode), effect)

    @rule(source=PATHS, path=PATHS)
    def link(self, source: str, path: str) -> None:
        def effect(tree: Tree) -> None:
            make_parents(tree, path)
            tree[path] = tree[source]

        self._attempt(lambda: self.ws.link(source, path), effect)

    @rule(name=st.sampled_from(["/s", "/t"]), content=st.sampled_from(["nowhere", "a/b/none"]))
    def symlink(self, name: str, content: str) -> None:
        def effect(tree: Tree) -> None:
            tree[name] = Node(None, self.ws.lstat(name).mode, content)

        self._attempt(lambda: self.ws.symlink(content, name), effect)

    @rule(one=PATHS, other=PATHS, data=CONTENTS, fails=st.booleans())
    def several_at_once(self, one: str, other: str, data: bytes, fails: bool) -> None:
        def work() -> None:
            with self.ws.transaction():
                self.ws.write(one, data)
                self.ws.mv(one, other)
                if fails:
                    self.ws.rm("/not there")

        def effect(tree: Tree) -> None:
            assert not fails
            make_parents(tree, one)
            tree.setdefault(one, Node(b"", 0o644)).data = data
            if tree.get(other) is tree[one]:
                return
            make_parents(tree, other)
            tree[other] = tree.pop(one)

        self._attempt(work, effect)

    @rule(path=PATHS, data=CONTENTS, behind=st.integers(0, 2))
    def write_what_was_read_before(self, path: str, data: bytes, behind: int) -> None:
        node = self.past.tree.get(path)
        if node is None or node.data is None:
            return
        version = self.ws.stat(path).version - behind
        if behind:
            with pytest.raises(StaleError):
                self.ws.write(path, data, expected_version=version)
            return

        def effect(tree: Tree) -> None:
            tree[path].data = data

        assert self._attempt(lambda: self.ws.write(path, data, expected_version=version), effect)

    # Going back and forth.

    @rule(steps=st.integers(1, 4))
    def undo(self, steps: int) -> None:
        found = self.past.walk_back(steps)
        if found is None:
            with pytest.raises(RangeError):
                self.ws.undo(steps)
            return
        target, undone = found
        redo = [*reversed(undone), *self.past.redo]
        self.ws.undo(steps)
        self._go_to(target, redo)

    @rule(steps=st.integers(1, 3))
    def redo(self, steps: int) -> None:
        redo = self.past.redo
        if len(redo) < steps:
            with pytest.raises(RangeError):
                self.ws.redo(steps)
        elif redo[steps - 1] < self.past.first:
            with pytest.raises(NotFoundError):
                self.ws.redo(steps)
        else:
            self.ws.redo(steps)
            self._go_to(redo[steps - 1], redo[steps:])

    @rule(moment=st.integers(0, 40))
    def undo_to(self, moment: int) -> None:
        past = self.past
        if not past.first <= moment <= past.last:
            with pytest.raises(NotFoundError):
                self.ws.undo(to=moment)
            return
        redo = [past.state_of(past.last), *past.redo]
        self.ws.undo(to=moment)
        self._go_to(moment, redo)

    @precondition(lambda self: self.past.last > self.past.first)
    @rule()
    def a_session_undoes_only_what_is_its_own(self) -> None:
        before = self.past.last
        with pytest.raises(ConflictError):
            self.ws.session("stranger").undo(to=self.past.first)
        assert self.ws.files.revision() == before

    @rule(moment=st.integers(0, 40), path=PATHS | st.just("/"))
    def restore_a_revision(self, moment: int, path: str) -> None:
        if not self.past.first <= moment <= self.past.last:
            with pytest.raises(NotFoundError):
                self.ws.restore(moment, path=path)
            return
        if path == "/":
            self.ws.restore(moment)
            self._note(copy.deepcopy(self.past.trees[moment]))

    @rule(name=st.sampled_from(["one", "two"]))
    def snapshot(self, name: str) -> None:
        if name in self.past.snapshots:
            self.ws.delete_snapshot(name)
        self.ws.snapshot(name)
        self.past.snapshots[name] = copy.deepcopy(self.past.tree)

    @rule(name=st.sampled_from(["one", "two"]))
    def restore_a_snapshot(self, name: str) -> None:
        if name not in self.past.snapshots:
            with pytest.raises(NotFoundError):
                self.ws.restore(name)
            return
        self.ws.restore(name)
        self._note(copy.deepcopy(self.past.snapshots[name]))

    # Looking back.

    def _moment(self, moment: int | str) -> Tree | None:
        if isinstance(moment, str):
            return self.past.snapshots.get(moment)
        return self.past.trees[moment] if self.past.first <= moment <= self.past.last else None

    @rule(moment=st.integers(0, 40) | st.sampled_from(["one", "two"]), path=PATHS)
    def read_the_past(self, moment: Moment, path: str) -> None:
        tree = self._moment(moment)
        node = None if tree is None else tree.get(path)
        if node is None or node.data is None:
            with pytest.raises(VshellError):
                self.ws.read_bytes(path, at=moment)
        else:
            assert self.ws.read_bytes(path, at=moment) == node.data

    @rule(
        a=st.integers(0, 40) | st.sampled_from(["one", "two"]),
        b=st.none() | st.integers(0, 40) | st.sampled_from(["one", "two"]),
    )
    def compare(self, a: Moment, b: Moment | None) -> None:
        before, after = self._moment(a), self.past.tree if b is None else self._moment(b)
        if before is None or after is None:
            with pytest.raises(NotFoundError):
                self.ws.compare(a, b)
            return
        result = self.ws.compare(a, b)
        # Times are not modelled, and only they make a change of attributes without a mode.
        found = {
            each.path: each.action
            for each in result.changes
            if each.action != "attributes" or each.before_mode != each.after_mode
        }
        assert found == {
            path: action
            for path in before.keys() | after.keys()
            if (action := difference(before.get(path), after.get(path)))
        }

    @rule(path=PATHS)
    def look_at_the_history_of_a_path(self, path: str) -> None:
        revisions = [each.revision for each in self.ws.history(path)]
        assert revisions == sorted(revisions, reverse=True)
        assert all(self.past.first < revision <= self.past.last for revision in revisions)
        if path in self.past.tree and not revisions:  # it is older than what is kept
            first = self.past.trees[self.past.first]
            assert any(path_in_past in first for path_in_past in self.past.tree)

    # Upkeep.

    @rule(kept=st.integers(0, 12) | st.none())
    def collect(self, kept: int | None) -> None:
        self.ws.gc(keep_revisions=kept)
        if kept is not None:
            self.past.first = max(self.past.first, self.past.last - kept)

    @rule()
    def vacuum(self) -> None:
        self.ws.vacuum()

    @rule()
    def search(self) -> None:
        self.ws.index()
        found = set(self.ws.grep("x", mode="files").files)
        assert found == {
            path for path, node in self.past.tree.items() if node.data and is_hit(node.data)
        }

    @rule()
    def reopen(self) -> None:
        self.ws.close()
        self.ws = self._open()

    # Forks.

    @rule(moment=st.none() | st.integers(0, 40) | st.sampled_from(["one", "two"]))
    def fork(self, moment: Moment | None) -> None:
        self.forks += 1
        path = self.directory / f"fork-{self.forks}.db"
        tree = self.past.tree if moment is None else self._moment(moment)
        if tree is None:
            with pytest.raises(NotFoundError):
                self.ws.fork(path, at=moment)
            assert not path.exists()
            return
        with self.ws.fork(path, at=moment) as fork:
            assert seen(fork) == shown(tree)
            assert fork.check().ok

    @rule(
        theirs=st.dictionaries(st.sampled_from(MERGED), NO_TEXTS | st.none()),
        ours=st.dictionaries(st.sampled_from(MERGED), NO_TEXTS | st.none()),
        policy=st.sampled_from(["safe", "theirs", "fail"]),
    )
    def fork_and_merge(
        self, theirs: dict[str, bytes | None], ours: dict[str, bytes | None], policy: Policy
    ) -> None:
        base: dict[str, bytes | None] = dict.fromkeys(MERGED, b"\0base")
        self.set_files(self.ws, base)
        tree = copy.deepcopy(self.past.tree)
        make_parents(tree, "/m/x")
        for path in MERGED:
            tree.setdefault(path, Node(b"", 0o644))
        change_tree(tree, base)
        self._note(tree)
        self.forks += 1
        with self.ws.fork(self.directory / f"fork-{self.forks}.db") as fork:
            self.set_files(fork, theirs)
            self.set_files(self.ws, ours)
            tree = copy.deepcopy(tree)
            change_tree(tree, ours)
            self._note(tree)
            clashes = {path for path in theirs.keys() & ours.keys() if theirs[path] != ours[path]}
            if policy == "fail" and clashes:
                with pytest.raises(ConflictError):
                    fork.merge_into(self.ws, policy=policy)
                return
            result = fork.merge_into(self.ws, policy=policy)
            assert {each.path for each in result.conflicts} == clashes
            taken = {
                path: data
                for path, data in theirs.items()
                if path not in clashes or policy == "theirs"
            }
            tree = copy.deepcopy(tree)
            change_tree(tree, taken)
            self._note(tree)

    def set_files(self, ws: Workspace, files: dict[str, bytes | None]) -> None:
        with ws.transaction():
            for path, data in files.items():
                if data is None:
                    ws.rm(path)
                else:
                    ws.write(path, data)

    @invariant()
    def the_workspace_shows_what_the_model_says(self) -> None:
        assert seen(self.ws) == shown(self.past.tree)
        assert self.ws.files.revision() == self.past.last


def change_tree(tree: Tree, files: dict[str, bytes | None]) -> None:
    for path, data in files.items():
        if data is None:
            tree.pop(path, None)
        else:
            tree.setdefault(path, Node(b"", 0o644)).data = data


def difference(before: Node | None, after: Node | None) -> str | None:
    """Return what `compare` calls the difference; None where there is none."""
    if before is None or after is None:
        return "create" if before is None and after else "remove" if before else None
    kinds = [(node.data is None, node.target is None) for node in (before, after)]
    if kinds[0] != kinds[1]:
        return "kind"
    if (before.data, before.target) != (after.data, after.target):
        return "write"
    return "attributes" if before.mode != after.mode else None


def is_hit(data: bytes) -> bool:
    return b"x" in data and b"\0" not in data


HistoryModel.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=30)


TestHistoryModel = HistoryModel.TestCase
