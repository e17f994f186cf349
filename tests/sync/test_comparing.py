"""A scan beside what was known: for any two listings, what differs and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vshell.fs.peers import Seen, SeenPage
from vshell.sync.comparing import compare, is_below_any
from vshell.sync.target import DIRECTORY, FILE, OTHER, Entry, tree_key

paths = st.lists(st.sampled_from(["a", "b", "a-b", "é", "\udcff"]), min_size=1, max_size=3).map(
    "/".join
)
listings = st.dictionaries(paths, st.tuples(st.integers(0, 2), st.booleans()), max_size=12)


def _page(known: list[tuple[str, Seen]]) -> SeenPage:
    return SeenPage([path for path, _ in known], [tuple(seen) for _, seen in known])


@given(listings, listings, st.booleans(), st.integers(1, 13), st.integers(1, 13))
def test_what_differs_is_found(
    now: dict[str, tuple[int, bool]],
    before: dict[str, tuple[int, bool]],
    deep: bool,
    together: int,
    page: int,
) -> None:
    entries = [Entry(path, FILE, 0o644, now[path][0], 1, 1, 1) for path in now]
    entries.sort(key=lambda entry: tree_key(entry.path))
    known = [
        (path, Seen(FILE, 0o644, before[path][0], 1, 1, 1, int(before[path][1])))
        for path in sorted(before, key=tree_key)
    ]
    some = [entries[at : at + together] for at in range(0, len(entries), together)]
    pages = [_page(known[at : at + page]) for at in range(0, len(known), page)]
    found = compare(some, pages, deep=deep)
    assert found.gone == sorted(before.keys() - now.keys(), key=tree_key)
    assert found.total == len(now)
    assert set(found.entries) == {
        path
        for path in now
        if path not in before or now[path][0] != before[path][0] or before[path][1] or deep
    }


def test_what_is_below_something_unknown_is_not_gone() -> None:
    known = [
        ("d", Seen(DIRECTORY, 0o755, 0, 0, 0, 0, 0)),
        ("d/f", Seen(FILE, 0o644, 1, 1, 1, 1, 0)),
        ("e", Seen(FILE, 0o644, 1, 1, 1, 1, 0)),
    ]
    fifo = Entry("d", OTHER, 0o644, 0, 1, 1, 1, reason="a FIFO")
    found = compare([[fifo]], [_page(known)])
    assert found.skipped == {"d": "a FIFO"}
    assert found.gone == ["e"]


def test_a_path_is_below_what_begins_it_with_a_slash() -> None:
    assert is_below_any("a/b/c", {"a/b": ""})
    assert is_below_any("a/b", {"a/b": ""})
    assert not is_below_any("a/bc", {"a/b": ""})
    assert not is_below_any("a", {})


def test_what_is_racy_is_read_again_though_all_is_as_it_was() -> None:
    entry = Entry("f", FILE, 0o644, 1, 1, 1, 1, racy=True)
    found = compare([[entry]], [_page([("f", Seen(*entry[1:8]))])])
    assert found.entries == {"f": entry}
