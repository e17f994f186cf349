"""The tables of a workspace, and the migrations that lead to them.

A migration is appended, never edited: databases of every release exist. The
number of migrations that a database has seen is its `user_version`.

Names and paths are BLOBs: a name is any bytes but `/` and NUL, and BLOBs sort as
bytes. Times are nanoseconds since 1970, sizes are bytes.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x7673686C
"""`vshl`, in SQLite's header field for what application a file belongs to."""

FILE: Final = 1
DIRECTORY: Final = 2
SYMLINK: Final = 3

PERMISSION_BITS: Final = 0o7777
"""The bits of a mode that are kept."""

ROOT: Final = 1
"""The inode of `/`."""

_SEARCH: Final = """
    -- The search index: see search_index.py. A segment is written once, in parts, of
    -- which a search loads the vocabulary and some of the postings. The number of a
    -- segment is never given again, for other processes know segments by it.
    drop table index_segment;
    delete from setting where name = 'index_up_to';
    create table index_segment (
        id integer primary key autoincrement,
        format integer not null,
        contents integer not null
    );
    create table index_part (
        id integer primary key,
        segment integer not null,
        name text not null,
        number integer not null,
        checksum integer not null,
        data blob not null
    );
    create unique index index_parts on index_part (segment, name, number);
"""

_SHELLS: Final = """
    -- Shell sessions: see shells.py. `state` is the engine's own, which only the version
    -- named in `engine` can read; `portable` is the same as JSON, for every other one.
    create table shell_session (
        name text primary key,
        cwd blob not null,
        engine text not null,
        state blob not null,
        portable text not null,
        time_ns integer not null
    ) without rowid;
    -- What was run, in order; `line` is a whole script. The index finds one session's.
    create table shell_history (
        id integer primary key,
        session text not null,
        time_ns integer not null,
        cwd blob not null,
        exit_code integer not null,
        line text not null
    );
    create index shell_history_session on shell_history (session, id);
"""

_SCRIPTS: Final = """
    -- Script runs that outlive their process, or wait to be approved: see runs.py. Whoever
    -- goes on with a run takes the next `generation`, and nobody of an earlier one may
    -- write any more.
    create table script_run (
        id text primary key,
        kind text not null,
        status text not null,
        generation integer not null,
        session text not null,
        cwd text not null,
        language text not null,
        source text not null,
        inputs text not null,
        limits text not null,
        engine text not null,
        seed integer not null,
        created_ns integer not null,
        updated_ns integer not null,
        -- What an approval has to be checked against: the revision that the script saw,
        -- and what it looked at, as JSON.
        base_revision integer,
        reads text,
        -- The paused guest, where the engine can store one, and the call that it waits in.
        snapshot blob,
        snapshot_call integer,
        result text
    ) without rowid;
    create index script_run_newest on script_run (created_ns);

    -- The calls of a durable run, in order. The answer of one that was begun and whose
    -- end is not known is null.
    create table script_call (
        run text not null,
        number integer not null,
        method text not null,
        request blob not null,
        arguments text,
        answer text,
        revision integer,
        primary key (run, number)
    ) without rowid;

    -- What a run that waits to be approved would do: see effects.py.
    create table script_effect (
        run text not null,
        number integer not null,
        action text not null,
        path blob not null,
        old_path blob,
        inode integer not null,
        kind integer not null,
        content integer,
        mode integer,
        mtime_ns integer,
        primary key (run, number)
    ) without rowid;
"""

_MIRRORS: Final = """
    -- Mirrors, conflicts and jobs: see peers.py.
    -- A mirror of the workspace. `position` is the last row of the journal that was
    -- compared with it; `serial` counts what was written about it, so that who read
    -- before another one wrote notices.
    create table mirror (
        id integer primary key,
        kind text not null,
        name text not null,
        root text not null,
        generation text not null,
        rules blob not null,
        revision integer not null,
        position integer not null,
        serial integer not null,
        unique (kind, name)
    );

    -- What a mirror and the workspace agreed on. The path is relative to the root, with
    -- NUL for each slash, so that the key has the order of a walk and both can be read
    -- side by side. `seen_...` is how the mirror shows it: a stat key.
    create table mirror_base (
        mirror integer not null,
        path blob not null,
        kind integer not null,
        mode integer not null,
        mtime_ns integer not null,
        content integer,
        seen_mode integer not null,
        seen_size integer not null,
        seen_mtime_ns integer not null,
        seen_ctime_ns integer not null,
        seen_inode integer not null,
        racy integer not null,
        primary key (mirror, path)
    ) without rowid;

    -- Where the workspace may differ from the base though the journal was read: `kind`
    -- is null when it is only to be looked at again, 0 when the mirror is to have nothing
    -- there, and otherwise the rest is what is being written to the mirror.
    create table mirror_pending (
        mirror integer not null,
        path blob not null,
        kind integer,
        mode integer,
        mtime_ns integer,
        content integer,
        primary key (mirror, path)
    ) without rowid;

    -- Content that was read from a mirror and is in no file yet: `gc` must spare it.
    create table mirror_fetched (
        mirror integer not null,
        content integer not null,
        primary key (mirror, content)
    ) without rowid;

    -- Where both sides changed the same: the three states, and what was done about it
    -- (null: nothing yet). A state's kind is 0 where there was nothing.
    create table mirror_conflict (
        id integer primary key,
        mirror integer not null,
        path blob not null,
        clash text not null,
        revision integer not null,
        time_ns integer not null,
        resolution text,
        base_kind integer not null,
        base_mode integer,
        base_mtime_ns integer,
        base_content integer,
        workspace_kind integer not null,
        workspace_mode integer,
        workspace_mtime_ns integer,
        workspace_content integer,
        mirror_kind integer not null,
        mirror_mode integer,
        mirror_mtime_ns integer,
        mirror_content integer
    );
    create index mirror_conflict_paths on mirror_conflict (mirror, path);
"""

_JOBS: Final = """
    -- A command that ran in a container. `machine` and `started_as` are what the daemon
    -- calls the container, and when it started: after a restart no command of before
    -- runs any more. `process` is the daemon's name for the command, so that its exit
    -- code can be asked for later. `report` is JSON: what was pushed and pulled.
    -- `owner` is the process that works on the job, as host and number.
    create table job (
        id integer primary key,
        container text not null,
        machine text not null,
        started_as text not null,
        command text not null,
        cwd text not null,
        phase text not null,
        owner text not null,
        process text,
        started_ns integer not null,
        ended_ns integer,
        exit_code integer,
        timed_out integer not null default 0,
        cancelled integer not null default 0,
        stdout blob not null default x'',
        stderr blob not null default x'',
        stdout_bytes integer not null default 0,
        stderr_bytes integer not null default 0,
        stdout_path text,
        stderr_path text,
        report text not null default '{}',
        error text
    );
"""

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    -- The journal is the clock of the workspace: its rows number the revisions, and
    -- the id of the row that records a creation is the id of the new inode, so that
    -- neither is ever given twice. One row is one thing that happened to one path.
    -- The newest row is never pruned, for it carries the counters of the next one; when
    -- its change is, its action is empty. There is no index: revisions ascend with ids,
    -- so `changes(since)` reads from the end.
    create table journal (
        id integer primary key,
        revision integer not null,
        time_ns integer not null,
        session text not null,
        operation text not null,
        action text not null,
        path blob not null,
        old_path blob,
        inode integer not null,
        kind integer not null,
        before_content integer,
        after_content integer,
        before_mode integer,
        after_mode integer,
        before_mtime_ns integer,
        after_mtime_ns integer,
        -- The sum of all inodes' sizes after this row: the quota is checked against
        -- it without a sum over the table.
        live_bytes integer not null
    );

    -- What a file, directory or link is. `content` is null for an empty file and
    -- for a directory; a link's content is its target. `version` is the revision
    -- of the last change to the content.
    create table inode (
        id integer primary key,
        kind integer not null,
        mode integer not null,
        size integer not null,
        mtime_ns integer not null,
        ctime_ns integer not null,
        nlink integer not null,
        content integer,
        version integer not null
    );

    -- Where it is. The key serves both a look-up by name and a listing in order;
    -- `kind` repeats the inode's, which never changes, so that a glob or a walk
    -- reads this table alone.
    create table entry (
        parent integer not null,
        name blob not null,
        inode integer not null,
        kind integer not null,
        primary key (parent, name)
    ) without rowid;
    -- A walk finds the directories below a directory without passing its files.
    create index entry_directories on entry (parent, inode) where kind = 2;

    -- Immutable bytes, stored once: small ones in `data`; of large ones `data` is
    -- null and the chunks have them. `hash` is SHA-256 (see content.py for chunks);
    -- its index finds bytes that are stored already.
    create table content (
        id integer primary key,
        hash blob not null unique,
        size integer not null,
        data blob
    );
    create table chunk (
        id integer primary key,
        hash blob not null unique,
        data blob not null
    );
    create table content_chunk (
        content integer not null,
        position integer not null,
        chunk integer not null,
        primary key (content, position)
    ) without rowid;

    -- Settings of the workspace that every process honours, such as `quota_bytes`.
    create table setting (
        name text primary key,
        value not null
    ) without rowid;

    insert into inode (id, kind, mode, size, mtime_ns, ctime_ns, nlink, content, version)
        values (1, 2, 493, 0, 0, 0, 2, null, 0);
    insert into journal (id, revision, time_ns, session, operation, action, path, inode, kind,
                         after_mode, after_mtime_ns, live_bytes)
        values (1, 0, 0, '', 'create', 'create', x'2f', 1, 2, 493, 0, 0);
    """,
    """
    -- A snapshot is the rows of the tree at one moment. Content is immutable, so none
    -- is copied; `gc` keeps what a snapshot refers to.
    create table snapshot (
        id integer primary key,
        name text not null unique,
        revision integer not null,
        time_ns integer not null,
        session text not null
    );
    create table snapshot_inode (
        snapshot integer not null,
        id integer not null,
        kind integer not null,
        mode integer not null,
        mtime_ns integer not null,
        content integer,
        primary key (snapshot, id)
    ) without rowid;
    create table snapshot_entry (
        snapshot integer not null,
        parent integer not null,
        name blob not null,
        inode integer not null,
        kind integer not null,
        primary key (snapshot, parent, name)
    ) without rowid;

    -- What a revision that undoes or redoes stands for: the revision whose state it
    -- restored, and the revisions that a redo would go to next, as a JSON list.
    create table undo (
        revision integer primary key,
        state_of integer not null,
        redo text not null
    );

    -- The search index: see search_index.py. A segment is written once and read whole;
    -- contents above the setting `index_up_to` are in none.
    create table index_segment (
        id integer primary key,
        format integer not null,
        contents integer not null,
        checksum integer not null,
        documents blob not null,
        vocabulary blob not null,
        word_starts blob not null,
        posting_starts blob not null,
        postings blob not null,
        always blob not null,
        partners blob not null,
        binary blob not null
    );
    """,
    _SEARCH + _SHELLS + _SCRIPTS + _MIRRORS + _JOBS,
)

VERSION: Final = len(MIGRATIONS)
