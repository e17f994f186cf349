"""The planner by itself: what it promises holds for any three trees."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.sync.planner import POLICIES, Plan, Policy, Sides, State, make_plan

Tree = dict[str, State]

NAMES = ("a", "b", "c.d")


def a_file(text: str = "x", mode: int = 0o644, mtime_ns: int = 1) -> State:
    return State(FILE, text.encode(), mode, mtime_ns)


A_DIRECTORY = State(DIRECTORY, b"", 0o755, 0)

leaves = st.builds(
    a_file,
    st.sampled_from(["one", "two", "three"]),
    st.sampled_from([0o644, 0o755, 0o600]),
    st.sampled_from([1, 2, 3]),
) | st.builds(
    lambda target, mtime_ns: State(SYMLINK, target, 0o777, mtime_ns),
    st.sampled_from([b"here", b"there"]),
    st.sampled_from([1, 2]),
)
directories = st.builds(
    lambda mode: State(DIRECTORY, b"", mode, 0), st.sampled_from([0o755, 0o700])
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Tree:
    found: Tree = {}

    def fill(above: str, depth: int) -> None:
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)):
            path = f"{above}{name}"
            if depth > 1 and draw(st.booleans()):
                found[path] = draw(directories)
                fill(f"{path}/", depth - 1)
            else:
                found[path] = draw(leaves)

    fill("", depth)
    return found


@st.composite
def edited(draw: st.DrawFn, tree: Tree) -> Tree:
    """Return a tree that has much in common with another one."""
    found = dict(tree)
    for path, state in draw(trees(depth=2)).items():
        if draw(st.booleans()):
            _put(found, path, state)
    for path in draw(st.lists(st.sampled_from(sorted(found) or ["a"]), max_size=3)):
        _remove(found, path)
    return found


def _remove(tree: Tree, path: str) -> None:
    for known in [known for known in tree if known == path or known.startswith(f"{path}/")]:
        del tree[known]


def _put(tree: Tree, path: str, state: State) -> None:
    above = path.rpartition("/")[0]
    if above and (above not in tree or tree[above].kind != DIRECTORY):
        _put(tree, above, A_DIRECTORY)
    if state.kind != DIRECTORY or tree.get(path, A_DIRECTORY).kind != DIRECTORY:
        _remove(tree, path)
    tree[path] = state


@st.composite
def triples(draw: st.DrawFn) -> tuple[Tree, Tree, Tree]:
    base = draw(trees())
    return base, draw(edited(base)), draw(edited(base))


def differing(base: Tree, workspace: Tree, mirror: Tree) -> dict[str, Sides]:
    found = {}
    for path in base.keys() | workspace.keys() | mirror.keys():
        sides = Sides(base.get(path), workspace.get(path), mirror.get(path))
        if len(set(sides)) > 1:
            found[path] = sides
    return found


def results(tree: Tree, plan: Plan) -> Tree:
    found = dict(tree)
    for path, decision in plan.decisions.items():
        found.pop(path, None)
        if decision.result is not None:
            found[path] = decision.result
    return found


def is_tree(tree: Mapping[str, State]) -> bool:
    return all(
        tree[above].kind == DIRECTORY if above in tree else False
        for path in tree
        if (above := path.rpartition("/")[0])
    )


@settings(max_examples=60, deadline=None)
@given(triples(), st.sampled_from(POLICIES))
def test_both_sides_become_the_same_tree(triple: tuple[Tree, Tree, Tree], policy: Policy) -> None:
    base, workspace, mirror = triple
    plan = make_plan(differing(base, workspace, mirror), policy)
    assert results(workspace, plan) == results(mirror, plan)
    assert is_tree(results(workspace, plan))


@settings(max_examples=60, deadline=None)
@given(triples(), st.sampled_from(POLICIES))
def test_what_a_side_wrote_is_in_the_result_or_in_a_conflict(
    triple: tuple[Tree, Tree, Tree], policy: Policy
) -> None:
    base, workspace, mirror = triple
    plan = make_plan(differing(base, workspace, mirror), policy)
    after = results(workspace, plan)
    kept = {(conflict.path, state) for conflict in plan.conflicts for state in conflict.sides}
    for tree in (workspace, mirror):
        for path, state in tree.items():
            was, is_now = base.get(path), after.get(path)
            if state.kind == DIRECTORY or (was and was[:2] == state[:2]):
                continue
            assert (is_now and is_now[:2] == state[:2]) or (path, state) in kept


@settings(max_examples=40, deadline=None)
@given(triples(), st.sampled_from(POLICIES))
def test_what_only_one_side_changed_is_taken_as_it_is(
    triple: tuple[Tree, Tree, Tree], policy: Policy
) -> None:
    base, changed, _ = triple
    for workspace, mirror in ((changed, base), (base, changed)):
        plan = make_plan(differing(base, workspace, mirror), policy)
        assert results(workspace, plan) == changed
        assert not plan.conflicts


@settings(max_examples=60, deadline=None)
@given(triples(), st.sampled_from(POLICIES))
def test_the_next_plan_has_nothing_to_do(triple: tuple[Tree, Tree, Tree], policy: Policy) -> None:
    base, workspace, mirror = triple
    after = results(workspace, make_plan(differing(base, workspace, mirror), policy))
    assert not make_plan(differing(after, after, after), policy).decisions


@settings(max_examples=60, deadline=None)
@given(triples())
def test_the_two_sides_are_alike(triple: tuple[Tree, Tree, Tree]) -> None:
    base, workspace, mirror = triple
    mine = make_plan(differing(base, workspace, mirror), "workspace-wins")
    theirs = make_plan(differing(base, mirror, workspace), "container-wins")
    assert results(workspace, mine) == results(mirror, theirs)
    assert [conflict[:2] for conflict in mine.conflicts] == [
        conflict[:2] for conflict in theirs.conflicts
    ]


def plan_for(policy: Policy = "safe", **paths: Sides) -> Plan:
    return make_plan({name.replace("__", "/"): sides for name, sides in paths.items()}, policy)


def test_equal_changes_are_adopted() -> None:
    plan = plan_for(f=Sides(a_file("old"), a_file("new"), a_file("new")))
    assert plan.decisions["f"].result == a_file("new")
    assert not plan.decisions["f"].pushes
    assert not plan.decisions["f"].pulls


def test_a_change_goes_before_a_removal() -> None:
    old, new = a_file("old"), a_file("new")
    assert plan_for(f=Sides(old, None, new)).decisions["f"].result == new
    assert plan_for(f=Sides(old, new, None)).decisions["f"].result == new
    assert plan_for(f=Sides(old, None, old)).decisions["f"].result is None


def test_a_time_alone_does_not_keep_a_removed_file() -> None:
    touched = a_file(mtime_ns=9)
    assert plan_for(f=Sides(a_file(), None, touched)).decisions["f"].result is None


def test_an_edit_and_a_chmod_come_together() -> None:
    old = a_file("old")
    plan = plan_for(f=Sides(old, a_file("new", mtime_ns=5), a_file("old", mode=0o755)))
    assert plan.decisions["f"].result == a_file("new", mode=0o755, mtime_ns=5)
    assert not plan.conflicts


@pytest.mark.parametrize(
    ("policy", "kept", "resolution"),
    [
        ("safe", "mine", None),
        ("fail", "mine", None),
        ("merge", "mine", None),
        ("workspace-wins", "mine", "workspace"),
        ("container-wins", "theirs", "mirror"),
    ],
)
def test_the_policy_settles_what_both_changed(
    policy: Policy, kept: str, resolution: str | None
) -> None:
    sides = Sides(a_file("old"), a_file("mine"), a_file("theirs"))
    plan = plan_for(policy, f=sides)
    assert plan.decisions["f"].result == a_file(kept)
    (conflict,) = plan.conflicts
    assert conflict == ("f", "content", sides, resolution)


def test_what_merges_is_no_conflict() -> None:
    sides = Sides(a_file("old"), a_file("mine"), a_file("theirs"))
    plan = make_plan({"f": sides}, "merge", merge=lambda path, sides: a_file("merged"))
    assert plan.decisions["f"].result == a_file("merged")
    assert plan.decisions["f"].pulls
    assert plan.decisions["f"].pushes
    assert not plan.conflicts


def test_a_removed_directory_stays_for_what_was_added_to_it() -> None:
    plan = plan_for(
        d=Sides(A_DIRECTORY, None, A_DIRECTORY),
        d__old=Sides(a_file(), None, a_file()),
        d__new=Sides(None, None, a_file("new")),
    )
    assert plan.decisions["d"].result == A_DIRECTORY
    assert plan.decisions["d/old"].result is None
    assert plan.decisions["d/new"].result == a_file("new")
    assert not plan.conflicts


@pytest.mark.parametrize(("policy", "is_file"), [("safe", True), ("container-wins", False)])
def test_a_file_against_a_change_below_it(policy: Policy, is_file: bool) -> None:
    plan = plan_for(
        policy,
        d=Sides(A_DIRECTORY, a_file("file"), A_DIRECTORY),
        d__f=Sides(a_file("old"), None, a_file("new")),
    )
    above, below = plan.decisions["d"].result, plan.decisions["d/f"].result
    assert (above, below) == ((a_file("file"), None) if is_file else (A_DIRECTORY, a_file("new")))
    assert [conflict.path for conflict in plan.conflicts] == ["d/f" if is_file else "d"]
