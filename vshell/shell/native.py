"""Which of the engine's own commands stay the engine's, and which may not be reached."""

from __future__ import annotations

from typing import Final

_LANGUAGE = """
. : [ alias bash bg bind break builtin caller cd command compgen complete compopt continue
declare dirs disown echo enable env eval exec exit export false fc fg getopts hash jobs kill let
local mapfile popd printf pushd pwd read readarray readonly return set sh shift shopt sleep
source test timeout times trap true type typeset ulimit umask unalias unset wait
"""
LANGUAGE: Final = frozenset(_LANGUAGE.split())
"""The language's own commands, and those that touch no file and are run in loops."""

_PROGRAMS = """
[ bash clear echo envsubst env false free getconf hostid kill locale logname mkfifo
nice nohup printf pwd sh shasum sleep sync test timeout true uptime
"""
PROGRAMS: Final = frozenset(_PROGRAMS.split())
"""The engine's own commands that are programs elsewhere, with a path."""

_STATEFUL = """
. alias bash bind break builtin caller cd command compgen complete compopt continue declare
disown enable eval exec exit export fc fg getopts hash jobs let local mapfile popd pushd read
readarray readonly return set sh shift shopt source trap typeset ulimit umask unalias unset wait
"""
STATEFUL: Final = frozenset(_STATEFUL.split())
"""Those of them that change the shell itself, so that nobody can run them for it."""

_WITHOUT = """
assert busybox csv curl dotenv flock git glob http inspect json less log make more nano openssl
parallel pgrep pkill ps retry semver sqlite sqlite3 ssh sudo template tomlq ts typescript
verify vi watch wget who users perl ruby php python python2 python3 node deno bun lua tclsh
"""
WITHOUT: Final = frozenset(_WITHOUT.split())
"""Commands that would reach for a network, a terminal or a process, or pretend to; and
bashkit's inventions, which no other shell has; and languages, whose scripts bashkit would
take for its own when it does not know their command."""

_FILES = "[ bash echo env false kill printf pwd sh test true"
FILES: Final = frozenset(_FILES.split())
"""The language's own commands that are a file as well, on other systems."""

_QUICK = ": [ cd echo export false printf pwd set shopt test true unset"
QUICK: Final = frozenset(_QUICK.split())
"""What can run without the engine's loop."""

PRINTING: Final = frozenset({"echo", "export", "printf", "pwd", "set", "shopt"})
"""Those of them that print."""

_VARIABLES = """
EUID HOSTNAME HOSTTYPE LINENO MACHTYPE OPTIND OSTYPE PPID PS4 RANDOM SECONDS SHELL SHLVL UID USER
"""
OWN_VARIABLES: Final = frozenset(_VARIABLES.split())
"""Variables that each engine sets for itself."""

_ARRAYS = "BASH_REMATCH BASH_VERSINFO DIRSTACK FUNCNAME PIPESTATUS"
OWN_ARRAYS: Final = frozenset(_ARRAYS.split())
"""Arrays that each engine sets for itself."""

_OPTIONS = "a b e f h k m n p t u v x B C E H P T errexit nounset noglob noclobber pipefail posix"
SET_OPTIONS: Final = frozenset(_OPTIONS.split())
"""Options of `set`; the other ones are those of `shopt`."""
