"""How `rg` prints what it finds."""

from __future__ import annotations

from dataclasses import dataclass

from vshell.shell.command import Invocation, UsageError
from vshell.shell.command_io import BufferedOutput, to_bytes, to_text
from vshell.shell.searching import Finder


@dataclass
class Look:
    """What the options ask of the output; and whether anything was printed yet."""

    names: bool
    numbers: bool
    columns: bool
    offsets: bool
    heading: bool
    count: bool
    count_matches: bool
    listing: str
    only_matching: bool
    replace: str | None
    invert: bool
    before: int
    after: int
    separator: str
    max_count: int | None
    null: bool
    quiet: bool
    text: bool
    trim: bool
    passthru: bool
    vimgrep: bool
    color: bool
    began: bool = False

    @property
    def needs_all(self) -> bool:
        """Whether files without a match are printed too."""
        return self.invert or self.listing == "without" or self.passthru

    @classmethod
    def read(cls, call: Invocation, *, many: bool) -> Look:
        """Read the options.

        Raises:
            UsageError: The value of one is wrong.
        """
        parsed = call.parsed
        terminal = bool(call.services.get("terminal"))
        pretty = parsed.flag("pretty")
        numbers = parsed.last("line-number", "no-line-number")
        names = parsed.last("with-filename", "no-filename")
        heading = parsed.last("heading", "no-heading")
        vimgrep = parsed.flag("vimgrep")
        common = _count(parsed.value("context"), "context") or 0
        after = _count(parsed.value("after-context"), "after-context")
        before = _count(parsed.value("before-context"), "before-context")
        color = parsed.value("color", "always" if pretty else "auto")
        listing = parsed.last("files-with-matches", "files-without-match")
        columns = parsed.flag("column") or vimgrep
        return cls(
            names=(many or vimgrep) if names is None else names == "with-filename",
            numbers=(
                numbers == "line-number" or (numbers is None and (terminal or pretty or columns))
            ),
            columns=columns,
            offsets=parsed.flag("byte-offset"),
            heading=(heading == "heading" or (heading is None and (terminal or pretty)))
            and not vimgrep,
            count=parsed.flag("count"),
            count_matches=parsed.flag("count-matches"),
            listing="" if listing is None else "with" if "with-" in listing else "without",
            only_matching=parsed.flag("only-matching"),
            replace=parsed.value("replace"),
            invert=parsed.flag("invert-match"),
            before=common if before is None else before,
            after=common if after is None else after,
            separator=parsed.value("context-separator", "--") or "",
            max_count=_count(parsed.value("max-count"), "max-count"),
            null=parsed.flag("null"),
            quiet=parsed.flag("quiet"),
            text=parsed.flag("text") or sum(name == "unrestricted" for name, _ in parsed.given) > 2,
            trim=parsed.flag("trim"),
            passthru=parsed.flag("passthru"),
            vimgrep=vimgrep,
            color=color in ("always", "ansi") or (color == "auto" and terminal),
        )

    def summary(self, out: BufferedOutput) -> None:
        """Nothing follows the last file."""
        out.flush()


def _count(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"Invalid value for '--{name} <NUM>': invalid digit found in string", hint=False
        )
    return int(text[:9])


class FileReport:
    """What is printed of one file."""

    def __init__(
        self, name: str, finder: Finder, look: Look, out: BufferedOutput, *, explicit: bool
    ) -> None:
        self._name = name
        self._finder = finder
        self._look = look
        self._out = out
        self._explicit = explicit
        self._last = 0
        self._titled = False

    def run(self, data: bytes, deadline: float) -> bool:
        """Search and print; return whether that counts as found."""
        look = self._look
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
        elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            data = data.decode("utf-16", "replace").encode()
        null = -1 if look.text else data.find(b"\0")
        if null >= 0 and not self._explicit and look.listing == "without":
            return False
        if null >= 0 and not self._explicit:
            # A file that turns out to be binary is given up there; what matched stays.
            data = data[:null]
            data = data[: data.rfind(b"\n") + 1]
        text = to_text(data)
        selected = self._selected(text, data, deadline)
        if null >= 0 and self._explicit and selected and not (look.count or look.listing):
            return self._binary(null)
        return self._report(text, selected, deadline)

    def _selected(self, text: str, data: bytes, deadline: float) -> list[tuple[int, int, int]]:
        """Return the lines to show: number, start, end."""
        look = self._look
        found: list[tuple[int, int, int]] = []
        if look.invert:
            matching = {each.line for each in self._finder.lines(text, deadline)}
            place = 0
            for number, line in enumerate(text.split("\n"), 1):
                if number not in matching and place != len(text):
                    found.append((number, place, place + len(line)))
                place += len(line) + 1
        elif self._finder.may_match(data):
            for each in self._finder.lines(text, deadline):
                found.append((each.line, each.start, each.end))
                if look.max_count is not None and len(found) >= look.max_count:
                    break
        return found if look.max_count is None else found[: look.max_count]

    def _binary(self, null: int) -> bool:
        if not self._look.quiet:
            lead = f"{self._name}: " if self._look.names else ""
            self._write(f'{lead}binary file matches (found "\\0" byte around offset {null})\n')
        return True

    def _report(self, text: str, selected: list[tuple[int, int, int]], deadline: float) -> bool:
        look = self._look
        if look.listing == "without":
            if not selected:
                self._write(self._painted("35", self._name) + ("\0" if look.null else "\n"))
            return not selected
        if look.quiet or not (selected or look.passthru):
            return bool(selected)
        if look.listing:
            self._write(self._painted("35", self._name) + ("\0" if look.null else "\n"))
        elif look.count or look.count_matches:
            count = len(selected)
            if look.count_matches and not look.invert:
                count = sum(
                    1 for _, a, b in selected for _ in self._finder.spans(text[a:b], deadline)
                )
            lead = self._painted("35", self._name) + ("\0" if look.null else ":")
            self._write(f"{lead if look.names else ''}{count}\n")
        else:
            self._print_lines(text, selected, deadline)
        return bool(selected)

    def _print_lines(
        self, text: str, selected: list[tuple[int, int, int]], deadline: float
    ) -> None:
        look = self._look
        self._title()
        if not (look.before or look.after or look.passthru):
            for number, start, end in selected:
                self._print(number, text, start, end, deadline)
            return
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        numbers = {number for number, _, _ in selected}
        shown: set[int] = set()
        if look.passthru:
            shown = set(range(1, len(lines) + 1))
        for number in numbers:
            shown.update(
                range(max(1, number - look.before), min(len(lines), number + look.after) + 1)
            )
        place, previous = 0, 0
        for number, line in enumerate(lines, 1):
            if number in shown:
                if previous and number > previous + 1:
                    self._write(look.separator + "\n")
                if number in numbers:
                    self._print(number, text, place, place + len(line), deadline)
                else:
                    self._write(
                        self._prefix(number, None, place, "-", text) + self._trimmed(line) + "\n"
                    )
                previous = number
            place += len(line) + 1

    def _title(self) -> None:
        look = self._look
        if look.began and look.heading and look.names:
            self._write("\n")
        elif look.began and (look.before or look.after) and not look.heading:
            self._write(look.separator + "\n")
        look.began = True
        if look.heading and look.names:
            self._write(self._painted("35", self._name) + ("\0" if look.null else "\n"))

    def _print(self, number: int, text: str, start: int, end: int, deadline: float) -> None:
        look, offset = self._look, start
        line = text[start:end]
        needs = look.columns or look.only_matching or look.color or look.replace is not None
        spans = [] if look.invert or not needs else [*self._finder.spans(line, deadline)]
        column = len(to_bytes(line[: spans[0][0]])) + 1 if spans else 1
        if look.only_matching:
            for a, b in spans:
                at = len(to_bytes(line[:a]))
                lead = self._prefix(number, at + 1, offset + a, ":", text)
                self._write(lead + self._replaced(line[a:b]) + "\n")
            return
        if look.vimgrep:
            for a, _ in spans or [(0, 0)]:
                at = len(to_bytes(line[:a])) + 1
                self._write(
                    self._prefix(number, at, offset, ":", text) + self._trimmed(line) + "\n"
                )
            return
        parts, place = [], 0
        for a, b in spans:
            parts += [line[place:a], self._replaced(line[a:b])]
            place = b
        shown = self._trimmed("".join(parts) + line[place:])
        self._write(self._prefix(number, column, offset, ":", text) + shown + "\n")

    def _trimmed(self, line: str) -> str:
        return line.lstrip() if self._look.trim else line

    def _replaced(self, match: str) -> str:
        template = self._look.replace
        if template is None:
            return self._painted("1m\x1b[31", match)
        return self._painted("1m\x1b[31", self._finder.expand(match, template))

    def _prefix(self, number: int, column: int | None, offset: int, mark: str, text: str) -> str:
        look = self._look
        parts = ""
        if look.names and not look.heading:
            parts += self._painted("35", self._name) + ("\0" if look.null else mark)
        if look.numbers:
            parts += self._painted("32", str(number)) + mark
        if look.columns and column is not None:
            parts += f"{column}{mark}"
        if look.offsets:
            parts += f"{len(to_bytes(text[:offset]))}{mark}"
        return parts

    def _painted(self, code: str, text: str) -> str:
        return f"\x1b[0m\x1b[{code}m{text}\x1b[0m" if self._look.color else text

    def _write(self, text: str) -> None:
        self._out.write(to_bytes(text))
