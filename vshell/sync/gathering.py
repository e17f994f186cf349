"""The three states of every path that may differ, side by side.

The workspace's side comes from the journal since the last time, so that it costs what
changed and not what there is. A mirror shows modes and times in its own way (it may not
hold all of them), so what counts as a change of these is that it shows others than it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from vshell.fs.peers import Agreed, Peer, Peers, Seen, Version
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.sync.comparing import is_below_any
from vshell.sync.intake import Found
from vshell.sync.planner import Sides, State
from vshell.sync.rules import Rules
from vshell.sync.target import Entry

__all__ = ["Gathered", "entry_of_seen", "gather", "seen_of", "shown_mode", "state_of"]

_EXECUTABLE: Final = 0o111
_NEW_MODE: Final = 0o700
"""What a directory has between its making and the setting of its mode."""

_WALK_FROM: Final = 300
"""From so many paths on, one walk over the workspace is quicker than looking for each."""


@dataclass(slots=True)
class Gathered:
    """What is known about the paths that may differ.

    Attributes:
        sides: The states of those at which some state differs.
        agreed: What was agreed on before.
        workspace: What the workspace has.
        mirror: What the mirror has, where it was read; elsewhere it is what was agreed on.
        merged: What both sides' changes come to, where they were merged.
        entries: How the mirror shows it.
        refreshed: Paths at which only the stat key is another one.
        settled: Paths that need no further look.
        skipped: What the workspace changed where the mirror cannot be looked at.
        forgotten: Paths that the rules leave out now.
    """

    sides: dict[str, Sides] = field(default_factory=dict)
    agreed: dict[str, Agreed] = field(default_factory=dict)
    workspace: dict[str, Version] = field(default_factory=dict)
    mirror: dict[str, Version] = field(default_factory=dict)
    merged: dict[str, Version] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    refreshed: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def is_idle(self) -> bool:
        """Tell whether nothing has to be written down."""
        return not (self.sides or self.refreshed or self.settled or self.forgotten)


def gather(
    peers: Peers, peer: Peer, rules: Rules, found: Found, gone: Iterable[str], *, deep: bool
) -> Gathered:
    """Return the states of all paths that may differ; call it with the database pinned.

    Args:
        peers: The mirrors.
        peer: This one.
        rules: What belongs to it.
        found: What is new or changed in it, with its content.
        gone: Where nothing is any more.
        deep: Compare all of the workspace, whatever the journal says.
    """
    gathered = Gathered(entries=dict(found.entries), mirror=dict(found.versions))
    missing = set(gone) | set(found.gone)
    pending = peers.pending(peer)
    everything = deep or rules.digest != peer.rules
    touched = None if everything else _touched(peers, peer)
    paths = found.entries.keys() | missing | pending.keys()
    if touched is None:
        gathered.workspace = peers.versions_below("")
        paths |= gathered.workspace.keys() | set(peers.agreed_below(peer, ""))
    else:
        paths |= touched
        gathered.workspace = _look_up(peers, paths)
    gathered.agreed = peers.agreed(peer, paths)
    for path in paths:
        if is_below_any(path, found.skipped):
            _skip(gathered, path, touched is None or path in touched or path in pending)
        elif _belongs(gathered, rules, path):
            _add(gathered, path, path in missing, pending.get(path))
            if path in pending and path not in gathered.sides:
                gathered.settled.append(path)
        elif path in gathered.agreed or path in pending:
            gathered.forgotten.append(path)
    return gathered


def _touched(peers: Peers, peer: Peer) -> set[str] | None:
    """Return where the workspace changed since the last time; None: perhaps anywhere."""
    rows = peers.touched_since(peer.position)
    if rows is None:
        return None
    paths: set[str] = set()
    for row in rows:
        path = row.path[1:]
        paths.add(path)
        if row.old_path is not None:
            old_path = row.old_path[1:]
            paths.add(old_path)
            if row.kind == DIRECTORY:
                paths.update(peers.agreed_below(peer, old_path))
                paths.update(f"{path}/{name}" for name in _names_below(peers, path))
    paths.update(peers.names_of([row.inode for row in rows if row.kind != DIRECTORY]))
    paths.discard("")
    return paths


def _names_below(peers: Peers, path: str) -> Iterable[str]:
    start = len(path) + 1
    return [below[start:] for below in peers.versions_below(path)]


def _look_up(peers: Peers, paths: set[str]) -> dict[str, Version]:
    if len(paths) >= _WALK_FROM:
        return peers.versions_below("")
    found = ((path, peers.version_of(path)) for path in paths)
    return {path: version for path, version in found if version is not None}


def _skip(gathered: Gathered, path: str, is_touched: bool) -> None:
    agreed, workspace = gathered.agreed.get(path), gathered.workspace.get(path)
    if is_touched and state_of(agreed and agreed.version) != state_of(workspace):
        gathered.skipped[path] = "something that cannot be mirrored is in its place"


def _belongs(gathered: Gathered, rules: Rules, path: str) -> bool:
    if path in gathered.entries:
        return True  # the scan has asked already
    version = gathered.workspace.get(path)
    if version is None and path in gathered.agreed:
        version = gathered.agreed[path].version
    is_directory = version is not None and version.kind == DIRECTORY
    return rules.tier(path, is_directory=is_directory) == "synced"


def _add(gathered: Gathered, path: str, is_gone: bool, intent: Version | None) -> None:
    agreed = gathered.agreed.get(path)
    workspace = state_of(gathered.workspace.get(path))
    base = state_of(agreed and agreed.version)
    mirror: State | None = base
    if is_gone:
        mirror = None
    elif path in gathered.mirror:
        mirror = state_of(gathered.mirror[path])
    elif agreed is not None:
        gathered.mirror[path] = agreed.version
        gathered.entries[path] = entry_of_seen(path, agreed.seen)
    entry = gathered.entries.get(path)
    if agreed is not None and mirror is not None and entry is not None:
        mirror = _as_shown(mirror, agreed, entry)
    agreed_state = base
    if intent is not None and mirror != base:
        base, mirror = _after_crash(base, mirror, entry, intent)
    if base is None and mirror is not None and workspace is not None:
        mirror = _adopted(mirror, workspace)
    sides = Sides(base, workspace, mirror)
    if len(set(sides)) > 1 or base != agreed_state:
        gathered.sides[path] = sides
    elif agreed is not None and entry is not None and seen_of(entry) != agreed.seen:
        gathered.refreshed.append(path)
    if mirror is not None and path in gathered.mirror:
        gathered.mirror[path] = gathered.mirror[path]._replace(
            mode=mirror.mode, mtime_ns=mirror.mtime_ns
        )


def _as_shown(mirror: State, agreed: Agreed, entry: Entry) -> State:
    """Replace a mode and a time that the mirror shows as before by what they stand for."""
    if entry.kind != agreed.version.kind:
        return mirror
    if entry.mode == agreed.seen.mode:
        mirror = mirror._replace(mode=state_mode(agreed.version))
    if entry.mtime_ns == agreed.seen.mtime_ns and entry.kind != DIRECTORY:
        mirror = mirror._replace(mtime_ns=agreed.version.mtime_ns)
    return mirror


def _after_crash(
    base: State | None, mirror: State | None, entry: Entry | None, intent: Version
) -> tuple[State | None, State | None]:
    """Take what a synchronisation that was killed had written already as agreed on."""
    if not intent.kind:
        return (None, None) if mirror is None else (base, mirror)
    written = state_of(intent)
    if mirror is None or entry is None or written is None or mirror[:2] != written[:2]:
        return base, mirror
    if entry.mode == shown_mode(intent):
        mirror = mirror._replace(mode=written.mode)
    elif entry.kind == DIRECTORY and entry.mode == _NEW_MODE:
        return mirror, mirror  # its mode is still to be set
    if base is not None and base[:2] == written[:2] and mirror != written:
        return base, mirror  # only the attributes were to change, and they are not what was written
    return written, mirror


def _adopted(mirror: State, workspace: State) -> State:
    """Let a mirror that is first seen keep its modes, unless it is about who may execute."""
    same = (mirror.kind, mirror.hash) == (workspace.kind, workspace.hash)
    if same and not (mirror.mode ^ workspace.mode) & _EXECUTABLE:
        return mirror._replace(mode=workspace.mode)
    return mirror


def state_of(version: Version | None) -> State | None:
    """Return what the planner compares of a version."""
    if version is None:
        return None
    mtime_ns = 0 if version.kind == DIRECTORY else version.mtime_ns
    return State(version.kind, version.hash, state_mode(version), mtime_ns)


def state_mode(version: Version) -> int:
    """Return the permission bits that travel: setuid, setgid and sticky ones do not."""
    return 0o777 if version.kind == SYMLINK else version.mode & 0o777


def shown_mode(version: Version) -> int:
    """Return the permission bits that a target sets: owners keep the rights to look."""
    mode = state_mode(version)
    return mode | (0o700 if version.kind == DIRECTORY else 0o400)


def seen_of(entry: Entry) -> Seen:
    """Return what is stored of how the mirror shows something."""
    return Seen(*entry[1:7], int(entry.racy))


def entry_of_seen(path: str, seen: Seen) -> Entry:
    """Return how the mirror showed something, as the scan had it."""
    return Entry(path, *seen[:6], bool(seen.racy))
