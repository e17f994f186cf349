"""Whether everything in a workspace is as it must be, and mending what can be mended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vshell.fs.check_rules import RULES, Rule
from vshell.fs.content import list_hash
from vshell.fs.image import revision_image
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


_PROBLEMS_PER_RULE: Final = 20


def check(store: Store) -> list[str]:
    """Return what is wrong with the workspace, a sentence each; empty when nothing is."""
    with store.reading():
        problems = [f"SQLite: {problem}" for problem in store.database.integrity()]
        if problems:  # the rows of a damaged file say nothing
            return problems
        problems = [*_wrong_types(store), *_undecodable_texts(store)]
        for rule in RULES:
            problems += _broken(store, rule)
        if not problems:  # of wrong rows, a replay tells the same again in other words
            problems += _replayed(store)
        return [*problems, *_damaged_content(store), *store.index.problems()]


def _replayed(store: Store) -> Iterator[str]:
    """Take all of the history back, where it is complete: what is left must be an empty root."""
    if store.journal.complete_since():
        return
    try:
        left = revision_image(store, 0).paths.keys() - {"/"}
    except LookupError:
        yield "the history tells of a change to a path that was not there"
        return
    for path in sorted(left)[:_PROBLEMS_PER_RULE]:
        yield f"the history does not tell how {path} came to be"


def repair(store: Store) -> list[str]:
    """Mend what can be mended, inside a transaction; return what was, a sentence each."""
    repaired: list[str] = []
    for rule in RULES:
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


def _broken(store: Store, rule: Rule) -> list[str]:
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
    "index_part",
    "shell_session",
    "shell_history",
    "script_run",
    "script_call",
    "script_effect",
    "mirror",
    "mirror_base",
    "mirror_pending",
    "mirror_fetched",
    "mirror_conflict",
    "job",
)
_TEXTS: Final = (
    ("journal", "session"),
    ("journal", "operation"),
    ("journal", "action"),
    ("snapshot", "name"),
    ("snapshot", "session"),
    ("undo", "redo"),
    ("setting", "name"),
    ("shell_session", "name"),
    ("shell_session", "portable"),
    ("shell_history", "line"),
    ("script_run", "id"),
    ("script_run", "source"),
    ("script_run", "inputs"),
    ("script_call", "run"),
    ("mirror", "name"),
    ("mirror", "root"),
    ("mirror_conflict", "clash"),
    ("job", "command"),
    ("job", "report"),
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
