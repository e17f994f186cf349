"""Whether everything in a workspace is as it must be, and mending what can be mended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vshell.fs.content import list_hash
from vshell.fs.paths import decode
from vshell.fs.transaction import Store
from vshell.limits import INLINE_BYTES
from vshell.record import Record


@dataclass(frozen=True, slots=True)
class CheckReport(Record):
    """What a check found.

    Attributes:
        ok: Nothing is wrong, or all that was is mended.
        problems: What was found wrong, a sentence each.
        repaired: Those of them that are mended now.
    """

    ok: bool
    problems: tuple[str, ...]
    repaired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One thing that must hold: a query for the rows that break it, and what mends them."""

    breaks: str
    message: str
    repair: tuple[str, ...] = ()


_SUBDIRECTORIES: Final = "(select count(*) from entry e where e.parent = inode.id and e.kind = 2)"
_NAMES: Final = "(select count(*) from entry e where e.inode = inode.id)"
_SIZES: Final = "(select coalesce(sum(size), 0) from inode)"
_REACHABLE: Final = (
    "with recursive reachable (id) as (select 1 union"
    " select e.inode from reachable r join entry e on e.parent = r.id where e.kind = 2)"
)
_LOST: Final = "select id from inode where kind = 2 and id not in (select id from reachable)"

_RULES: Final = (
    _Rule(
        "select 1 where not exists (select 1 from inode where id = 1 and kind = 2)",
        "the root is no directory",
        ("insert or replace into inode values (1, 2, 493, 0, 0, 0, 2, null, 0)",),
    ),
    _Rule(
        "select name, parent from entry where inode = 1",
        "the entry {0} in directory {1} is the root",
        ("delete from entry where inode = 1",),
    ),
    _Rule(
        "select id, kind from inode where kind not in (1, 2, 3)",
        "inode {0} has the unknown kind {1}",
    ),
    _Rule(
        "select name, parent from entry where typeof(name) <> 'blob' or length(name) > 255"
        " or name in (x'', x'2e', x'2e2e') or instr(name, x'2f') or instr(name, x'00')",
        "the entry {0} in directory {1} has an impossible name",
    ),
    _Rule(
        "select name, parent from entry where inode not in (select id from inode)",
        "the entry {0} in directory {1} has no inode",
        ("delete from entry where inode not in (select id from inode)",),
    ),
    _Rule(
        "select e.name, e.parent from entry e join inode i on i.id = e.inode"
        " where i.kind <> e.kind",
        "the entry {0} in directory {1} has another kind than its inode",
        ("update entry set kind = (select i.kind from inode i where i.id = entry.inode)",),
    ),
    _Rule(
        "select name, parent from entry where parent not in (select id from inode where kind = 2)",
        "the entry {0} lies in {1}, which is no directory",
        ("delete from entry where parent not in (select id from inode where kind = 2)",),
    ),
    _Rule(
        f"{_REACHABLE} {_LOST}",
        "directory {0} cannot be reached from the root",
        (
            f"{_REACHABLE} delete from entry where parent in ({_LOST})",
            f"{_REACHABLE} delete from inode where id in ({_LOST})",
        ),
    ),
    _Rule(
        "select id from inode where kind <> 2 and id not in (select inode from entry)",
        "inode {0} has no name",
        ("delete from inode where kind <> 2 and id not in (select inode from entry)",),
    ),
    _Rule(
        "select inode from entry where kind = 2 group by inode having count(*) > 1",
        "directory {0} has more than one name",
    ),
    _Rule(
        f"select id, nlink from inode where kind <> 2 and nlink <> {_NAMES}",
        "inode {0} says that it has {1} names, and has others",
        (f"update inode set nlink = {_NAMES} where kind <> 2",),
    ),
    _Rule(
        f"select id, nlink from inode where kind = 2 and nlink <> 2 + {_SUBDIRECTORIES}",
        "directory {0} says that it has {1} links, and has others",
        (f"update inode set nlink = 2 + {_SUBDIRECTORIES} where kind = 2",),
    ),
    _Rule(
        "select id, content from inode"
        " where content is not null and content not in (select id from content)",
        "inode {0} lost its content {1}",
    ),
    _Rule(
        "select i.id, i.size, c.size from inode i join content c on c.id = i.content"
        " where i.size <> c.size",
        "inode {0} has {1} bytes, and its content {2}",
        (
            (
                "update inode set size = (select c.size from content c where c.id = content)"
                " where content in (select id from content)"
            ),
        ),
    ),
    _Rule(
        "select id, size from inode where content is null and size <> 0",
        "inode {0} has {1} bytes, and no content",
        ("update inode set size = 0 where content is null",),
    ),
    _Rule(
        # Without the test for null, SQLite finds it missing from a table without rows.
        "select id, path from journal where"
        " before_content is not null and before_content not in (select id from content)"
        " or after_content is not null and after_content not in (select id from content)",
        "the history lost the content of change {0} to {1}",
    ),
    _Rule(
        "select id, kind, action from journal where kind not in (1, 2, 3)"
        " or action not in ('', 'create', 'write', 'remove', 'rename', 'attributes')",
        "the history tells of an impossible change {0} ({1}, {2})",
    ),
    _Rule(
        "select name, value from setting where typeof(value) not in ('integer', 'text')"
        " or name in ('quota_bytes', 'index_up_to') and typeof(value) <> 'integer'",
        "the setting {0} has the impossible value {1}",
        (
            (
                "delete from setting where typeof(value) not in ('integer', 'text')"
                " or name in ('quota_bytes', 'index_up_to') and typeof(value) <> 'integer'"
            ),
        ),
    ),
    _Rule(
        "select revision from undo where not json_valid(redo)",
        "nobody can tell what a redo of revision {0} would do",
        ("delete from undo where not json_valid(redo)",),
    ),
    _Rule(
        "select id, mode, size from inode where mode not between 0 and 4095 or size < 0",
        "inode {0} has an impossible mode ({1}) or size ({2})",
    ),
    _Rule(
        "select s.name, i.id from snapshot_inode i join snapshot s on s.id = i.snapshot"
        " where i.kind not in (1, 2, 3)",
        "snapshot {0} has inode {1} with an unknown kind",
    ),
    _Rule(
        "select s.name, i.id from snapshot_inode i join snapshot s on s.id = i.snapshot"
        " where i.content is not null and i.content not in (select id from content)",
        "snapshot {0} lost the content of inode {1}",
    ),
    _Rule(
        "select s.name, e.inode from snapshot_entry e join snapshot s on s.id = e.snapshot"
        " where not exists (select 1 from snapshot_inode i"
        " where i.snapshot = e.snapshot and i.id = e.inode)",
        "snapshot {0} lost inode {1}",
    ),
    _Rule(
        f"select live_bytes, {_SIZES} from"
        " (select live_bytes from journal order by id desc limit 1)"
        f" where live_bytes <> {_SIZES}",
        "the journal counts {0} bytes in all files, and there are {1}",
        ((f"update journal set live_bytes = {_SIZES} where id = (select max(id) from journal)"),),
    ),
    _Rule(
        "select content, chunk from content_chunk where chunk not in (select id from chunk)",
        "content {0} lost its chunk {1}",
    ),
)

_PROBLEMS_PER_RULE: Final = 20


def check(store: Store) -> list[str]:
    """Return what is wrong with the workspace, a sentence each; empty when nothing is."""
    with store.reading():
        problems = [f"SQLite: {problem}" for problem in store.database.integrity()]
        if problems:  # the rows of a damaged file say nothing
            return problems
        problems = [*_wrong_types(store), *_undecodable_texts(store)]
        for rule in _RULES:
            problems += _broken(store, rule)
        return [*problems, *_damaged_content(store), *store.index.problems()]


def repair(store: Store) -> list[str]:
    """Mend what can be mended, inside a transaction; return what was, a sentence each."""
    repaired: list[str] = []
    for rule in _RULES:
        found = _broken(store, rule) if rule.repair else []
        if found:
            for statement in rule.repair:
                store.database.run(statement)
            repaired += found
    damaged = store.index.problems()
    if damaged:
        store.index.drop()
        repaired += damaged
    store.tree.forget()
    store.journal.forget()
    store.journal.load()
    return repaired


def _broken(store: Store, rule: _Rule) -> list[str]:
    try:
        rows = store.database.rows(f"{rule.breaks} limit {_PROBLEMS_PER_RULE}")
    except UnicodeDecodeError:  # a name of SQLite's type for text, in which no bytes belong
        return ["a value that should be bytes is text, and no UTF-8"]
    return [rule.message.format(*(_shown(value) for value in row)) for row in rows]


_COLUMNS: Final = (
    'select t.name, c.name, c.type, c."notnull" or c.pk from sqlite_schema t'
    " join pragma_table_info(t.name) c where t.type = 'table' and c.type <> ''"
)
_TYPED: Final = (
    "journal",
    "inode",
    "entry",
    "content",
    "chunk",
    "content_chunk",
    "snapshot",
    "snapshot_inode",
    "snapshot_entry",
    "undo",
)
_TEXTS: Final = (
    ("journal", "session"),
    ("journal", "operation"),
    ("journal", "action"),
    ("snapshot", "name"),
    ("snapshot", "session"),
    ("undo", "redo"),
    ("setting", "name"),
)


def _wrong_types(store: Store) -> Iterator[str]:
    """Yield a sentence for each table with values that its columns cannot have.

    SQLite stores what it is given, and finds nothing wrong with it later.
    """
    conditions: dict[str, list[str]] = {}
    for table, column, kind, required in store.database.rows(_COLUMNS):
        allowed = f"('{kind.lower()}')" if required else f"('{kind.lower()}', 'null')"
        conditions.setdefault(table, []).append(f"typeof({column}) not in {allowed}")
    for table in _TYPED:
        found = store.database.row(
            f"select count(*) from {table} where {' or '.join(conditions[table])}"
        )
        if found and found[0]:
            yield f"the table {table} has {found[0]} rows with values of a wrong type"


def _undecodable_texts(store: Store) -> Iterator[str]:
    for table, column in _TEXTS:
        for (text,) in store.database.rows(f"select distinct cast({column} as blob) from {table}"):
            try:
                text.decode()
            except UnicodeDecodeError:
                yield f"the table {table} has a text that is no UTF-8: {text[:40]!r}"


def _damaged_content(store: Store) -> Iterator[str]:
    """Yield a sentence for each content whose bytes are not those that its hash says."""
    database = store.database
    last = 0
    while rows := database.rows(
        "select id, hash, size, data from content where id > ? order by id limit 64", (last,)
    ):
        for content, digest, size, data in rows:
            last = content
            if not _is_sound(store, content, digest, size, data):
                yield f"content {content} is damaged"
    last = 0
    while rows := database.rows(
        "select id, hash, data from chunk where id > ? order by id limit 16", (last,)
    ):
        for chunk, digest, data in rows:
            last = chunk
            if type(data) is not bytes or hashlib.sha256(data).digest() != digest:
                yield f"chunk {chunk} is damaged"


def _is_sound(store: Store, content: int, digest: object, size: object, data: object) -> bool:
    if data is None:
        is_list = isinstance(size, int) and size > INLINE_BYTES
        return is_list and (digest, size) == _chunks_hash(store, content)
    if not isinstance(data, bytes) or len(data) != size:
        return False
    return hashlib.sha256(data).digest() == digest


def _chunks_hash(store: Store, content: int) -> tuple[bytes, int]:
    """Return the hash and the size that the chunks of a content have together."""
    rows = store.database.rows(
        "select position, chunk.hash, length(chunk.data) from content_chunk"
        " join chunk on chunk.id = chunk where content = ? order by position",
        (content,),
    )
    # A read asks for chunks by their position, so a gap between two is a loss.
    found = [row[1:] for index, row in enumerate(rows) if index == row[0]]
    digests = [digest for digest, _ in found if type(digest) is bytes]
    return list_hash(digests), sum(length or 0 for _, length in found)


def _shown(value: object) -> object:
    return decode(value) if isinstance(value, bytes) else value
