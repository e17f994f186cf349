"""What a shell may run, read and write: rules, and the judge that applies them.

Commands are judged when they are run, so after every expansion, wherever they come from:
a line, `$()`, `xargs`, `find -exec`, a script's file. Paths are judged where the files are,
by the path without links. Only the language's own commands that change the shell itself
(`cd`, `eval`, `exec`, ...) are judged before, on the script's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from vshell.errors import PermissionDeniedError, RangeError, ReadOnlyError
from vshell.fs.paths import is_below
from vshell.record import Record
from vshell.shell.native import STATEFUL
from vshell.shell.words import quoted
from vshell.text.globs import Glob, compile_glob

Verdict = Literal["allow", "ask", "deny"]
VERDICTS: Final = ("allow", "ask", "deny")


@dataclass(frozen=True, slots=True)
class Rules(Record):
    """What a shell may do. Nothing given: everything.

    A command pattern is a name (`rm`: with any arguments), or a whole command with
    wildcards (`git push *`). Of the patterns that match, `deny` counts most, then `ask`,
    then `allow`; `default` is for commands that none matches. A path pattern is a glob
    from the root (`/src/**/*.py`) and stands for all that is below what it matches.

    Attributes:
        allow: Commands that run.
        ask: Commands that run when the caller says so.
        deny: Commands that do not run: exit code 126.
        default: The verdict on other commands; the language's own always run unless a
            pattern names them.
        read_only: Paths that are not changed.
        ask_write: Paths that are changed when the caller says so.
        unreadable: Files whose content is not read.
        ask_read: Files whose content is read when the caller says so.
        hidden: Paths that are not there.
    """

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    default: Verdict = "allow"
    read_only: tuple[str, ...] = ()
    ask_write: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    ask_read: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.default not in VERDICTS:
            raise RangeError(f"default must be one of {', '.join(VERDICTS)}")
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "default" and not isinstance(value, tuple):
                raise RangeError(f"{each.name} must be patterns, and is {value!r}")
        for pattern in (
            *(self.read_only + self.ask_write + self.unreadable),
            *(self.ask_read + self.hidden),
        ):
            compile_glob(pattern)


def rules_of(given: Rules | Mapping[str, Any] | None) -> Rules:
    """Return rules from what a caller gave.

    Raises:
        RangeError: A field is unknown or of the wrong type.
        BadPatternError: A path pattern is malformed.
    """
    if given is None:
        return Rules()
    if isinstance(given, Rules):
        return given
    known = {each.name for each in fields(Rules)}
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise RangeError(f"there is no rule {name!r}", hint=f"there are {', '.join(known)}")
        made[name] = tuple(value) if isinstance(value, (list, tuple)) else value
    return Rules(**made)


@dataclass(frozen=True, slots=True)
class Question(Record):
    """Something that a rule says to ask about.

    Attributes:
        kind: `"command"`, `"read"` or `"write"`.
        words: The command and its arguments, of a command.
        path: The path, of the others.
    """

    kind: Literal["command", "read", "write"]
    words: tuple[str, ...] = ()
    path: str | None = None

    @property
    def text(self) -> str:
        """The question's subject as one would type it."""
        return self.path if self.path is not None else " ".join(map(quoted, self.words))


class UnansweredError(BaseException):
    """Ends a command that must have an answer before it can go on, and begins again then.

    It is no `Exception`: nobody on the way is to take it for a failure.

    Args:
        question: What is to be asked.
    """

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


class Judge:
    """Applies rules to what a shell does.

    Args:
        rules: The rules.
        ask: Asks the caller.
    """

    def __init__(self, rules: Rules, ask: Callable[[Question], bool]) -> None:
        self.rules = rules
        self._ask = ask
        self._answers: dict[Question, bool] = {}
        self.can_begin_again: Callable[[], bool] = lambda: False
        self._read_only = _Paths(rules.read_only)
        self._ask_write = _Paths(rules.ask_write)
        self._unreadable = _Paths(rules.unreadable)
        self._ask_read = _Paths(rules.ask_read)
        self._hidden = _Paths(rules.hidden)

    def begin(self) -> None:
        """Forget the answers: each script asks anew."""
        self._answers.clear()

    # Commands.

    @property
    def judges_commands(self) -> bool:
        """Whether any command can be refused."""
        rules = self.rules
        return bool(rules.deny or rules.ask or rules.default != "allow")

    def verdict(self, words: Sequence[str], *, native: bool = False) -> Verdict:
        """Return what the rules say of a command."""
        for verdict, patterns in (("deny", self.rules.deny), ("ask", self.rules.ask)):
            if _matches(words, patterns):
                return verdict  # type: ignore[return-value]
        if native or _matches(words, self.rules.allow):
            return "allow"
        return self.rules.default

    def refusal(self, words: Sequence[str], *, native: bool = False) -> str | None:
        """Return why a command must not run, or None when it may."""
        verdict = self.verdict(words, native=native) if self.judges_commands else "allow"
        if verdict == "ask" and self._answer(Question("command", tuple(words))):
            return None
        return None if verdict == "allow" else "not permitted by the rules"

    def names(self, name: str) -> bool:
        """Tell whether a pattern of `deny` or `ask` may mean a command of that name."""
        return any(
            fnmatchcase(name, pattern.split(" ")[0])
            for pattern in (*self.rules.deny, *self.rules.ask)
        )

    def refusal_of_text(
        self, commands: Iterable[tuple[str | None, Sequence[str | None]]], *, opaque: bool
    ) -> str | None:
        """Return why a script must not run, by those of its commands that are judged by it."""
        if not any(map(self.names, STATEFUL)):
            return None
        for name, arguments in commands:
            if name in STATEFUL and self.names(name):
                words = (name, *("*" if each is None else each for each in arguments))
                if self.refusal(words, native=True) is not None:
                    return f"{name}: not permitted by the rules"
            elif name is None or (opaque and name in ("eval", "source", ".")):
                return f"{name or 'a computed command'}: cannot be judged by the rules"
        return None

    # Paths.

    def hides(self, path: str) -> bool:
        """Tell whether a path is not to be there."""
        return self._hidden.match(path)

    @property
    def hides_any(self) -> bool:
        return bool(self._hidden)

    @property
    def guards_paths(self) -> bool:
        """Whether any path can be refused."""
        return any(
            (self._read_only, self._ask_write, self._unreadable, self._ask_read, self._hidden)
        )

    @property
    def asks(self) -> bool:
        """Whether there may be a question about a path."""
        return bool(self._ask_write or self._ask_read)

    def check_read(self, path: str) -> None:
        """Make sure that a file may be read.

        Raises:
            PermissionDeniedError: It may not.
        """
        if self._unreadable.match(path) or (
            self._ask_read.match(path) and not self._answer(Question("read", path=path))
        ):
            raise PermissionDeniedError(f"the rules do not allow to read it: {path}", path=path)

    def check_write(self, path: str) -> None:
        """Make sure that a path may be changed.

        Raises:
            ReadOnlyError: It may not.
            PermissionDeniedError: It is hidden, or the caller said no.
        """
        if self._read_only.match(path):
            raise ReadOnlyError(f"the rules do not allow to change it: {path}", path=path)
        if self.hides(path) or (
            self._ask_write.match(path) and not self._answer(Question("write", path=path))
        ):
            raise PermissionDeniedError(f"the rules do not allow to change it: {path}", path=path)

    def _answer(self, question: Question) -> bool:
        known = self._answers.get(question)
        if known is None and self.can_begin_again():
            raise UnansweredError(question)
        return self.answer(question) if known is None else known

    def answer(self, question: Question) -> bool:
        """Ask, and remember what was said until the script ends."""
        self._answers[question] = said = self._ask(question)
        return said


def _matches(words: Sequence[str], patterns: Iterable[str]) -> bool:
    if not patterns:
        return False
    line = " ".join(words)
    for pattern in patterns:
        name, _, rest = pattern.partition(" ")
        if not rest:
            if fnmatchcase(words[0], name):
                return True
        elif fnmatchcase(line, pattern) or (rest == "*" and fnmatchcase(words[0], name)):
            return True
    return False


class _Paths:
    """Globs that stand for what they match and all below it."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._globs: list[Glob] = [compile_glob(each.lstrip("/") or "**") for each in patterns]
        self._literal = [
            each.rstrip("/") or "/" for each in patterns if not set(each) & set("*?[{!\\")
        ]
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._globs)

    def match(self, path: str) -> bool:
        if not self._globs:
            return False
        known = self._known.get(path)
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[path] = self._match(path)
        return known

    def _match(self, path: str) -> bool:
        if any(is_below(path, each) or path == each for each in self._literal):
            return True
        parts = path.strip("/").split("/")
        starts = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return any(glob.match(start) for start in starts for glob in self._globs)
