"""`python docs/make_screenshot.py`: drive the interactive shell and draw what it shows.

The picture, docs/repl.svg, is what a real pseudo-terminal showed.
"""

from __future__ import annotations

import html
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.repl.interactive.terminal import Terminal  # noqa: E402
from vshell import Workspace  # noqa: E402

COLOURS = {
    "default": "#d6dbe4", "black": "#14181f", "red": "#ff6b68", "green": "#8fd46f",
    "brown": "#e5c07b", "blue": "#6cb2ff", "magenta": "#d58fe5", "cyan": "#5ccfd6",
    "white": "#ffffff", "brightblack": "#7b8496",
}  # fmt: skip
BACKGROUND = "#14181f"
WIDTH, HEIGHT, MARGIN = 8.4, 18, 14


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Workspace.open(directory / "agent.db") as ws:
            ws.import_directory(str(ROOT / "vshell" / "text"), "/src")
            ws.rm("/src/__pycache__", recursive=True, force=True)
            ws.write("/notes.md", "# Plan\n- TODO: name the parts\n")
        with Terminal(directory, "-w", "agent.db", rows=28) as terminal:
            terminal.wait_for(r"agent:/ \$")
            terminal.run("ls src/l* notes.md")
            terminal.run("grep -rn 'def compile_[gjlp]' src | cut -c 1-60")
            terminal.run("for file in src/l*.py; do wc -l < $file; done | sort -n | tail -n 1")
            terminal.run("sed -i 's/name/draw/' notes.md; cat notes.md; log -n 1")
            terminal.run("undo")
            terminal.run(":py len(state.glob('/src/*.py'))")
            terminal.run("gerp TODO notes.md")
            terminal.type('kat notes.md | grep "$HOME" && ls --si\t')
            terminal.wait_for("--si")
            (ROOT / "docs" / "repl.svg").write_text(drawn(terminal))


def drawn(terminal: Terminal) -> str:
    """Return the screen as SVG."""
    screen = terminal.screen
    rows = [number for number in range(screen.lines) if screen.display[number].strip()]
    width, height = screen.columns * WIDTH + 2 * MARGIN, (rows[-1] + 1) * HEIGHT + 2 * MARGIN
    lines = "\n".join(text for number in range(rows[-1] + 1) for text in row(terminal, number))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
        '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14"'
        f' xml:space="preserve">\n{lines}\n</g>\n</svg>\n'
    )


def row(terminal: Terminal, number: int) -> Iterator[str]:
    cells = [terminal.screen.buffer[number][column] for column in range(terminal.screen.columns)]
    column = 0
    for (colour, bold, underlined), run in groupby(
        cells, key=lambda cell: (cell.fg, cell.bold, cell.underscore)
    ):
        text = "".join(cell.data for cell in run)
        if text.strip():
            x, y = MARGIN + column * WIDTH, MARGIN + (number + 0.75) * HEIGHT
            style = (' font-weight="bold"' if bold else "") + (
                ' text-decoration="underline"' if underlined else ""
            )
            fill = COLOURS.get(colour, f"#{colour}")
            yield (
                f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" textLength="{len(text) * WIDTH:.1f}"'
                f"{style}>{html.escape(text)}</text>"
            )
        column += len(text)


if __name__ == "__main__":
    main()
