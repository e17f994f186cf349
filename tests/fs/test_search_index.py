"""The search index finds what a scan finds, whatever is asked and whatever is changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
import regex

from vshell import Workspace
from vshell.errors import BadPatternError
from vshell.fs import search_index, search_segment
from vshell.fs.search_index import Question
from vshell.ops.grep import GrepResult
from vshell.text.line_regex import split_flags
from vshell.text.matching import text_bytes, text_of

WORDS = ["alpha", "Beta", "gamma_1", "x", "naïve", "ÉCOLE", "straße", "Kelvin", "\u212aelvin", "日本語",
         "TODO", "fixme", "return", "a1", "__init__", "ıstanbul", "ſharp"]  # fmt: skip
GLUE = [" ", "  ", "\t", "(", ")", ".", "-", "::", "\u00a0", "é", "_", "", "\r", "="]


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


ASCII_WORDS = [word for word in WORDS if word.isascii()]
ASCII_GLUE = [glue for glue in GLUE if glue.isascii()]


def line(rng: random.Random, *, ascii_only: bool = False) -> bytes:
    words, glue = (ASCII_WORDS, ASCII_GLUE) if ascii_only else (WORDS, GLUE)
    text = "".join(rng.choice(words) + rng.choice(glue) for _ in range(rng.randrange(6)))
    data = text.encode()
    if not ascii_only and rng.random() < 0.1:
        data += rng.choice([b"\xff\xfe", b"caf\xe9", b"\xc3"])
    return data


def content(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.05:
        return line(rng) + b"\0" + line(rng)
    if kind < 0.08:
        return b"\xff\xfe" + "".join(rng.choices(WORDS, k=5)).encode("utf-16-le")
    if kind < 0.11:
        return b"word" * 100 + b"\n" + line(rng)
    ending = rng.choice([b"\n", b"\n", b"\r\n"])
    bom = b"\xef\xbb\xbf" if rng.random() < 0.05 else b""
    ascii_only = rng.random() < 0.4  # which another engine may search
    return bom + ending.join(line(rng, ascii_only=ascii_only) for _ in range(rng.randrange(8)))


def pattern(rng: random.Random, lines: list[bytes]) -> str:
    """Return a pattern made of pieces of real lines and of the regular expression grammar."""

    def piece() -> str:
        text = rng.choice(lines).decode("utf-8", "surrogateescape") if lines else ""
        start = rng.randrange(len(text) + 1)
        cut = text[start : start + rng.randrange(1, 8)]
        escaped = "".join(
            f"\\{letter}" if letter in r"().*+?[]{}|^$\-" else letter for letter in cut
        )
        return escaped or "a"

    grammar: list[Callable[[], str]] = [
        piece,
        piece,
        piece,
        lambda: rng.choice([r"\b", r"\B", r"\w+", r"\W", r"\s*", ".", "^", "$", "[a-z]+"]),
        lambda: rng.choice(
            [r"[^a-m]", r"\S{2,}?", r"(\w|\s)+?", r"(?<=[a-z])", r"(?<!\w)", r"[\s.-]"]
        ),
        lambda: f"({piece()}|{piece()})",
        lambda: f"(?:{piece()})?",
        lambda: f"(?={piece()})",
        lambda: f"(?!{piece()})",
        lambda: f"(?i:{piece()})",
        lambda: f"{piece()}{{1,2}}",
        lambda: f"({piece()})\\1",
        lambda: rng.choice(
            [
                r"\b[a-z]{4}\b",
                "[A-Z][a-z]{2,}",
                r"\B[a-z]{3}",
                r"[a-z]{3}\d",
                "(?:[a-z]{3}|[0-9]{3})",
            ]
        ),
        lambda: rng.choice([r"[a-z]{3,}_", r"(?i:[k-t]{4})", r"[a-z]+[0-9]*[a-z]{2}$", r"\d{1,2}"]),
    ]
    parts = [rng.choice(grammar)() for _ in range(rng.randrange(1, 4))]
    return rng.choice(["", "", "", "(?i)"]) + "".join(parts)


def change(ws: Workspace, rng: random.Random, names: list[str]) -> None:
    name = rng.choice(names)
    match rng.randrange(7):
        case 0 | 1 | 2:
            ws.write(name, content(rng))
        case 3:
            ws.rm(name, force=True)
        case 4 if ws.exists(name):
            ws.append(name, line(rng))
        case 5 if ws.exists(name):
            ws.mv(name, rng.choice(names))
        case 6 if ws.changes().changes:
            ws.undo()


def drop_index(ws: Workspace) -> None:
    with ws.changing("test"):
        ws.files.store.index.drop()


def scan(ws: Workspace, asked: str, **options: bool) -> GrepResult:
    """Grep without the index: it is asked for nothing."""
    index = ws.files.store.index
    answer = index.answer
    index.answer = lambda question: search_index.Answer(None, 0)  # type: ignore[method-assign]
    try:
        return ws.grep(asked, **options)  # type: ignore[arg-type]
    finally:
        index.answer = answer  # type: ignore[method-assign]


def oracle(ws: Workspace, asked: str, **options: bool) -> list[tuple[str, int, int]]:
    """Return path, line and column of each match, by the engine on one line after another."""
    flags = regex.VERSION0 | (regex.IGNORECASE if options["ignore_case"] else 0)
    inline, rest = split_flags(asked)
    confirm = regex.compile(
        rf"{inline}(?<!\w)(?:{rest})(?!\w)" if options["word"] else asked, flags
    )
    found = []
    for path in sorted(existing(ws)):
        data = text_bytes(ws.read_bytes(path), binary=options["binary"])
        if not data:
            continue
        lines = text_of(data).split("\n")
        for number, text in enumerate(lines[:-1] if not lines[-1] else lines, 1):
            match = confirm.search(text, timeout=5)
            if match:
                found.append((path, number, match.start() + 1))
    return found


def differences(seed: int, patterns: int) -> list[str]:
    """Return what is wrong: patterns for which the index finds other things than it should.

    A scan by the same matcher must give the same result, and the engine alone, on one line
    after another, the same lines and columns.
    """
    rng = random.Random(seed)
    names = [f"/{'d/' * rng.randrange(3)}f{number}" for number in range(30)]
    wrong = []
    with Workspace.memory() as ws:
        for name in names:
            ws.write(name, content(rng))
        for number in range(patterns):
            if number % 5 == 0:
                change(ws, rng, names)
            if number % 11 == 0:
                with ws.changing("test"):
                    ws.files.store.index.fold(max_bytes=rng.choice([50, 500, 10**6]))
            if number % 97 == 96:
                ws.gc(keep_revisions=rng.choice([0, 3, 50]))
            lines = [text for text in ws.read_bytes(rng.choice(existing(ws))).splitlines() if text]
            asked = pattern(rng, lines)
            options = {
                name: rng.random() < 0.2 for name in ("ignore_case", "word", "multiline", "binary")
            }
            try:
                found, expected = ws.grep(asked, **options), scan(ws, asked, **options)  # type: ignore[arg-type]
            except BadPatternError:
                continue
            if (found.matches, found.total) != (expected.matches, expected.total):
                wrong.append(f"not as a scan: {asked!r} {options}")
            elif not options["multiline"] and [
                (match.path, match.line, match.column) for match in found.matches
            ] != oracle(ws, asked, **options):
                wrong.append(f"not as line by line: {asked!r} {options}")
        assert ws.check().problems == ()
    return wrong


def existing(ws: Workspace) -> list[str]:
    ws.write("/always", "alpha beta\n")
    return [entry.path for entry in ws.files.walk("/") if entry.kind == 1]


@pytest.mark.parametrize("seed", range(10))
def test_the_index_finds_what_a_scan_finds(seed: int) -> None:
    assert differences(seed, 200) == []


def test_a_planner_that_takes_letters_beyond_ascii_for_edges_of_words_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fuzz has teeth: with this error planted in the questions, it must fail."""
    ascii_only = bytes(byte if byte < 0x80 and chr(byte).isalnum() else 32 for byte in range(256))
    pieces = search_segment.pieces
    spaced = search_segment.SPACED

    def wrong_pieces(text: bytes) -> list[bytes]:
        monkeypatch.setattr(search_segment, "SPACED", ascii_only)
        try:
            return list(pieces(text))
        finally:
            monkeypatch.setattr(search_segment, "SPACED", spaced)

    monkeypatch.setattr(search_segment, "pieces", wrong_pieces)
    assert any(differences(seed, 250) for seed in range(6))


def test_a_result_tells_how_it_was_found(ws: Workspace) -> None:
    for number in range(20):
        ws.write(f"/f{number}", f"word{number}\n")
    assert ws.grep("word7").plan.candidates is None
    ws.index()
    plan = ws.grep(r"(?i)Word7\b").plan
    assert (plan.required, plan.any_case, plan.candidates) == ((("word7",),), True, 1)
    assert plan.seconds > 0
    assert ws.grep(r"\w+").plan.required == ()


def test_a_search_reads_only_what_can_match(ws: Workspace) -> None:
    for number in range(50):
        ws.write(f"/f{number}", f"common word{number}\n")
    with ws.changing("test"):
        ws.files.build_index()
    assert ws.grep("word17").searched == 1
    assert ws.grep("WORD17", ignore_case=True).searched == 1
    assert ws.grep("nowhere").searched == 0
    assert ws.grep("common").searched == 50
    ws.write("/new", "word17 again\n")
    assert ws.grep("word17").searched == 2


def test_searches_fold_the_tail_in_when_it_has_grown(ws: Workspace) -> None:
    with ws.transaction():
        for number in range(600):
            ws.write(f"/f{number}", f"text {number}\n")
    revision = ws.files.revision()
    assert ws.usage().index_bytes == 0
    ws.grep("text 5\\b")
    assert ws.usage().index_bytes > 0
    assert ws.grep("text 599").searched == 1
    assert ws.files.revision() == revision


def test_a_search_in_a_transaction_or_a_read_only_workspace_folds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as ws, ws.transaction():
        for number in range(600):
            ws.write(f"/f{number}", f"text {number}\n")
        assert ws.grep("text 7$").total == 1
        assert ws.usage().index_bytes == 0
    with Workspace.open(path, read_only=True) as ws:
        assert ws.grep("text 7$").total == 1
        assert ws.usage().index_bytes == 0


def test_segments_that_have_become_many_are_merged(ws: Workspace) -> None:
    for number in range(40):
        ws.write(f"/f{number}", f"unique{number:02}\n")
        with ws.changing("test"):
            ws.files.store.index.fold()
    rows = ws.files.store.database.rows("select count(*) from index_segment")
    assert rows[0][0] <= 8
    assert all(ws.grep(f"unique{number:02}$").searched == 1 for number in range(40))


def test_removed_content_leaves_and_numbers_that_are_given_anew_are_searched(ws: Workspace) -> None:
    ws.write("/a", "first\n")
    ws.write("/b", "second\n")
    with ws.changing("test"):
        ws.files.build_index()
    ws.rm("/b")
    ws.mkdir("/d")
    ws.gc(keep_revisions=0)
    ws.write("/c", "third\n")
    assert ws.grep("third").total == 1
    assert ws.grep("second").total == 0


@pytest.mark.parametrize(
    "damage",
    [
        "update index_part set data = x'00112233' where name = 'vocabulary'",
        "update index_part set data = x'00112233' where name = 'postings'",
        "update index_part set data = 'text' where name = 'documents'",
        "delete from index_part where name = 'word_starts'",
        "update index_segment set format = 1",
    ],
)
def test_a_damaged_index_is_found_and_searches_go_on_without_it(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "w.db"
    with Workspace.open(path) as ws:
        ws.write("/a", "needle\n")
        with ws.changing("test"):
            ws.files.build_index()
    connection = apsw.Connection(str(path))
    connection.execute(damage)
    connection.close()
    with Workspace.open(path) as ws:
        assert ws.grep("needle").total == 1
        assert not ws.check().ok
        assert ws.check(repair=True).ok
        assert ws.grep("needle").total == 1


def test_a_second_process_that_writes_is_searched_too(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w.db") as one, Workspace.open(tmp_path / "w.db") as other:
        one.write("/a", "needle\n")
        with one.changing("test"):
            one.files.build_index()
        other.write("/b", "needle\n")
        assert one.grep("needle").files == ("/a", "/b")
        with other.changing("test"):
            other.files.build_index()
        other.write("/a", "nothing\n")
        assert one.grep("needle").files == ("/b",)


def test_the_index_is_a_fraction_of_the_text(ws: Workspace) -> None:
    source = Path(search_index.__file__).parents[1]
    ws.import_directory(str(source))
    with ws.changing("test"):
        ws.files.build_index()
    usage = ws.usage()
    assert usage.index_bytes < 0.35 * usage.content_bytes  # large corpora come to a fifth


def test_a_question_without_clauses_is_about_everything(ws: Workspace) -> None:
    ws.write("/a", "text\n")
    with ws.changing("test"):
        ws.files.build_index()
    index = ws.files.store.index
    assert index.answer(Question((), False, False)).contents is None
    assert index.answer(Question(((b"()",),), False, False)).contents is None
