"""What must hold in a workspace, as queries for the rows that break it, and what mends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
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

_MOMENT: Final = "coalesce(s.name, 'of the fork')"
# What a merge begins with is kept as snapshots 0 and -1: see lineage.py.
_NO_MOMENT: Final = "snapshot not in (select id from snapshot) and snapshot not in (0, -1)"

_FILES: Final = (
    Rule(
        "select 1 where not exists (select 1 from inode where id = 1 and kind = 2)",
        "the root is no directory",
        ("insert or replace into inode values (1, 2, 493, 0, 0, 0, 2, null, 0)",),
    ),
    Rule(
        "select name, parent from entry where inode = 1",
        "the entry {0} in directory {1} is the root",
        ("delete from entry where inode = 1",),
    ),
    Rule(
        "select id, kind from inode where kind not in (1, 2, 3)",
        "inode {0} has the unknown kind {1}",
    ),
    Rule(
        "select name, parent from entry where typeof(name) <> 'blob' or length(name) > 255"
        " or name in (x'', x'2e', x'2e2e') or instr(name, x'2f') or instr(name, x'00')",
        "the entry {0} in directory {1} has an impossible name",
    ),
    Rule(
        "select name, parent from entry where inode not in (select id from inode)",
        "the entry {0} in directory {1} has no inode",
        ("delete from entry where inode not in (select id from inode)",),
    ),
    Rule(
        "select e.name, e.parent from entry e join inode i on i.id = e.inode"
        " where i.kind <> e.kind",
        "the entry {0} in directory {1} has another kind than its inode",
        ("update entry set kind = (select i.kind from inode i where i.id = entry.inode)",),
    ),
    Rule(
        "select name, parent from entry where parent not in (select id from inode where kind = 2)",
        "the entry {0} lies in {1}, which is no directory",
        ("delete from entry where parent not in (select id from inode where kind = 2)",),
    ),
    Rule(
        f"{_REACHABLE} {_LOST}",
        "directory {0} cannot be reached from the root",
        (
            f"{_REACHABLE} delete from entry where parent in ({_LOST})",
            f"{_REACHABLE} delete from inode where id in ({_LOST})",
        ),
    ),
    Rule(
        "select id from inode where kind <> 2 and id not in (select inode from entry)",
        "inode {0} has no name",
        ("delete from inode where kind <> 2 and id not in (select inode from entry)",),
    ),
    Rule(
        "select inode from entry where kind = 2 group by inode having count(*) > 1",
        "directory {0} has more than one name",
    ),
    Rule(
        f"select id, nlink from inode where kind <> 2 and nlink <> {_NAMES}",
        "inode {0} says that it has {1} names, and has others",
        (f"update inode set nlink = {_NAMES} where kind <> 2",),
    ),
    Rule(
        f"select id, nlink from inode where kind = 2 and nlink <> 2 + {_SUBDIRECTORIES}",
        "directory {0} says that it has {1} links, and has others",
        (f"update inode set nlink = 2 + {_SUBDIRECTORIES} where kind = 2",),
    ),
    Rule(
        "select id, content from inode"
        " where content is not null and content not in (select id from content)",
        "inode {0} lost its content {1}",
    ),
    Rule(
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
    Rule(
        "select id, size from inode where content is null and size <> 0",
        "inode {0} has {1} bytes, and no content",
        ("update inode set size = 0 where content is null",),
    ),
    Rule(
        # Without the test for null, SQLite finds it missing from a table without rows.
        "select id, path from journal where"
        " before_content is not null and before_content not in (select id from content)"
        " or after_content is not null and after_content not in (select id from content)",
        "the history lost the content of change {0} to {1}",
    ),
    Rule(
        "select id, kind, action from journal where kind not in (1, 2, 3)"
        " or action not in ('', 'create', 'write', 'remove', 'rename', 'attributes')",
        "the history tells of an impossible change {0} ({1}, {2})",
    ),
    Rule(
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
    Rule(
        "select revision from undo where not json_valid(redo)",
        "nobody can tell what a redo of revision {0} would do",
        ("delete from undo where not json_valid(redo)",),
    ),
    Rule(
        "select id, mode, size from inode where mode not between 0 and 4095 or size < 0",
        "inode {0} has an impossible mode ({1}) or size ({2})",
    ),
    Rule(
        f"select live_bytes, {_SIZES} from"
        " (select live_bytes from journal order by id desc limit 1)"
        f" where live_bytes <> {_SIZES}",
        "the journal counts {0} bytes in all files, and there are {1}",
        ((f"update journal set live_bytes = {_SIZES} where id = (select max(id) from journal)"),),
    ),
    Rule(
        "select content, chunk from content_chunk where chunk not in (select id from chunk)",
        "content {0} lost its chunk {1}",
    ),
)

# What the journal says last of an inode, which must be what the inode is.
_LAST: Final = (
    "select inode, max(id) as last from journal where action not in ('', 'remove') group by inode"
)
_DIFFERS: Final = (
    f"from inode i join ({_LAST}) l on l.inode = i.id join journal j on j.id = l.last"
    " where j.after_content is not i.content or j.after_mode is not i.mode or j.kind <> i.kind"
)
_JSON_SETTINGS: Final = "('retention', 'fork_merge_inodes')"

_HISTORY: Final = (
    Rule(
        f"select i.id, l.last {_DIFFERS}",
        "inode {0} is not what change {1} of the history made of it",
    ),
    Rule(
        "select id, revision from (select id, revision, lag(revision, 1, 0) over (order by id)"
        " as before from journal) where revision < before",
        "change {0} of the history has revision {1}, which is lower than the one before",
    ),
    Rule(
        "select id, version from inode"
        " where version > (select revision from journal order by id desc limit 1)",
        "inode {0} has version {1}, which is still to come",
    ),
    Rule(
        f"select distinct snapshot from snapshot_inode where {_NO_MOMENT}"
        f" union select snapshot from snapshot_entry where {_NO_MOMENT}",
        "there are rows of the snapshot {0}, which is gone",
        (
            f"delete from snapshot_inode where {_NO_MOMENT}",
            f"delete from snapshot_entry where {_NO_MOMENT}",
        ),
    ),
    Rule(
        "select distinct content from content_chunk where content not in (select id from content)",
        "there are chunks of the content {0}, which is gone",
        ("delete from content_chunk where content not in (select id from content)",),
    ),
    Rule(
        f"select name from setting where name in {_JSON_SETTINGS} and not json_valid(value)",
        "nobody can read the setting {0}",
        (f"delete from setting where name in {_JSON_SETTINGS} and not json_valid(value)",),
    ),
)

# Snapshots, and what merges begin with.
_MOMENTS: Final = (
    Rule(
        f"select {_MOMENT}, i.id from snapshot_inode i left join snapshot s on s.id = i.snapshot"
        " where i.kind not in (1, 2, 3)",
        "snapshot {0} has inode {1} with an unknown kind",
    ),
    Rule(
        f"select {_MOMENT}, i.id from snapshot_inode i left join snapshot s on s.id = i.snapshot"
        " where i.content is not null and i.content not in (select id from content)",
        "snapshot {0} lost the content of inode {1}",
    ),
    Rule(
        f"select {_MOMENT}, e.inode from snapshot_entry e"
        " left join snapshot s on s.id = e.snapshot"
        " where not exists (select 1 from snapshot_inode i"
        " where i.snapshot = e.snapshot and i.id = e.inode and i.kind = e.kind)",
        "snapshot {0} lost inode {1}",
    ),
    Rule(
        f"select {_MOMENT}, i.id from snapshot_inode i left join snapshot s on s.id = i.snapshot"
        " where i.id <> 1"
        " and (i.snapshot, i.id) not in (select snapshot, inode from snapshot_entry)",
        "snapshot {0} lost the name of inode {1}",
    ),
    Rule(
        f"select {_MOMENT}, e.name, e.parent from snapshot_entry e"
        " left join snapshot s on s.id = e.snapshot where (e.snapshot, e.parent)"
        " not in (select snapshot, id from snapshot_inode where kind = 2)",
        "snapshot {0} has the entry {1} in {2}, which is no directory",
    ),
    Rule(
        "select name from snapshot"
        " where id not in (select snapshot from snapshot_inode where id = 1 and kind = 2)"
        " union all select 'of the fork' from setting where name = 'fork_of'"
        " and not exists (select 1 from snapshot_inode where snapshot = 0 and id = 1 and kind = 2)",
        "snapshot {0} lost its root",
    ),
    Rule(
        "select value from setting where name = 'fork_shared_inodes'"
        " and (typeof(value) <> 'integer' or value < 1"
        " or value > (select max(id) from journal))",
        "the fork shares inodes up to {0}, and there are not so many",
    ),
)

_INDEX: Final = (
    Rule(
        "select distinct segment from index_part"
        " where segment not in (select id from index_segment)",
        "search index: there are parts of segment {0}, which is gone",
        ("delete from index_part where segment not in (select id from index_segment)",),
    ),
    Rule(
        "select value from setting where name = 'index_up_to' and typeof(value) = 'integer'"
        " and value > (select coalesce(max(id), 0) from content)",
        "search index: it claims content up to {0}, and there is not so much",
        (
            (
                "update setting set value = (select coalesce(max(id), 0) from content)"
                " where name = 'index_up_to'"
            ),
        ),
    ),
)

_SHELLS: Final = (
    Rule(
        "select name from shell_session where not json_valid(portable)",
        "the shell session {0} cannot be set up again",
        ("delete from shell_session where not json_valid(portable)",),
    ),
)

_NO_RUN: Final = "run not in (select id from script_run)"
_STATES: Final = (
    "('running', 'paused', 'ready', 'cancelled', 'committed', 'ok', 'error', 'timeout', 'limit',"
    " 'conflict', 'unavailable')"
)
_NO_JSON: Final = (
    "not json_valid(inputs) or not json_valid(limits)"
    " or result is not null and not json_valid(result)"
    " or reads is not null and not json_valid(reads)"
)

_SCRIPTS: Final = (
    Rule(
        f"select id, kind, status from script_run"
        f" where kind not in ('durable', 'approval') or status not in {_STATES}",
        "the script run {0} is of an unknown kind or state: {1}, {2}",
    ),
    Rule(f"select id from script_run where {_NO_JSON}", "nobody can read the script run {0}"),
    Rule(
        f"select distinct run from script_call where {_NO_RUN}"
        f" union select run from script_effect where {_NO_RUN}",
        "there are calls or effects of the script run {0}, which is gone",
        (
            f"delete from script_call where {_NO_RUN}",
            f"delete from script_effect where {_NO_RUN}",
        ),
    ),
    Rule(
        "select run, number from script_effect where kind not in (1, 2, 3)"
        " or content is not null and content not in (select id from content)",
        "what the script run {0} would do in step {1} is lost",
    ),
)

_NO_MIRROR: Final = "mirror not in (select id from mirror)"
_LOST_BASE: Final = (
    "kind not in (1, 2, 3) or content is not null and content not in (select id from content)"
)
_LOST_PENDING: Final = (
    "kind not in (0, 1, 2, 3) or content is not null and content not in (select id from content)"
)
_LOST_SIDE: Final = " or ".join(
    f"{side}_kind not in (0, 1, 2, 3) or {side}_content is not null"
    f" and {side}_content not in (select id from content)"
    for side in ("base", "workspace", "mirror")
)

_MIRRORS: Final = (
    Rule(
        f"select distinct mirror from mirror_base where {_NO_MIRROR}"
        f" union select mirror from mirror_pending where {_NO_MIRROR}"
        f" union select mirror from mirror_fetched where {_NO_MIRROR}",
        "there are rows of the mirror {0}, which is gone",
        (
            f"delete from mirror_base where {_NO_MIRROR}",
            f"delete from mirror_pending where {_NO_MIRROR}",
            f"delete from mirror_fetched where {_NO_MIRROR}",
        ),
    ),
    Rule(
        # Without it, the next synchronisation compares both sides as if for the first time.
        f"select mirror, path from mirror_base where {_LOST_BASE}",
        "mirror {0} lost what was agreed on at {1}",
        (f"delete from mirror_base where {_LOST_BASE}",),
    ),
    Rule(
        f"select mirror, path from mirror_pending where {_LOST_PENDING}",
        "mirror {0} lost what is being written to {1}",
        (
            (
                "update mirror_pending set kind = null, mode = null, mtime_ns = null,"
                f" content = null where {_LOST_PENDING}"
            ),
        ),
    ),
    Rule(
        "select mirror, content from mirror_fetched where content not in (select id from content)",
        "mirror {0} lost the content {1}, which it has fetched",
        ("delete from mirror_fetched where content not in (select id from content)",),
    ),
    Rule(
        f"select id, mirror from mirror_conflict where {_NO_MIRROR}",
        "the conflict {0} is one of the mirror {1}, which is gone",
    ),
    Rule(
        f"select id, path from mirror_conflict where {_LOST_SIDE}",
        "the conflict {0} lost a side of {1}",
    ),
    Rule(
        "select m.id, m.position from mirror m"
        " where m.position > (select max(id) from journal) or m.position < 0",
        "mirror {0} knows the history up to {1}, which is still to come",
        ("update mirror set position = 0 where position > (select max(id) from journal)",),
    ),
)

_PHASES: Final = "('pushing', 'running', 'pulling', 'done', 'failed', 'pull_pending', 'lost')"

_JOBS: Final = (
    Rule(
        f"select id, phase from job where phase not in {_PHASES}",
        "job {0} is in an unknown phase: {1}",
        (
            (
                "update job set phase = 'lost', error = 'its row was damaged'"
                f" where phase not in {_PHASES}"
            ),
        ),
    ),
    Rule(
        "select id from job where not json_valid(command)",
        "nobody can read the command of job {0}",
        ("update job set command = '[]' where not json_valid(command)",),
    ),
    Rule(
        "select id from job where not json_valid(report)",
        "nobody can read the report of job {0}",
        ("update job set report = '{}' where not json_valid(report)",),
    ),
)

RULES: Final = (*_FILES, *_HISTORY, *_MOMENTS, *_INDEX, *_SHELLS, *_SCRIPTS, *_MIRRORS, *_JOBS)
