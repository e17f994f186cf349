"""A directory of the host and everything below it, reached without following a link.

Whoever writes in such a directory while it is read or written may plant links, swap
directories and make special files. So every name is looked up in a directory that is
already open, one name at a time and never through a link (`openat` with `O_NOFOLLOW`),
and what is opened is judged by its descriptor and not by its name. Only the top is
named by a path, which is the caller's.

Paths are relative to the top, `""` for the top itself. Names are text in which bytes
that are no UTF-8 stand as lone surrogates, whatever the locale says. What the host
refuses is the `OSError` that it is; `reason` and `translated` put it in our words.
"""

from __future__ import annotations

from vshell.host.files import Identity, identity, open_regular
from vshell.host.names import HostEntry, HostKind
from vshell.host.refusals import reason, translated
from vshell.host.tree import MAX_OPEN_DIRECTORIES, HostDirectory, HostPath, HostTree

__all__ = [
    "MAX_OPEN_DIRECTORIES",
    "HostDirectory",
    "HostEntry",
    "HostKind",
    "HostPath",
    "HostTree",
    "Identity",
    "identity",
    "open_regular",
    "reason",
    "translated",
]
