"""`zip` and `unzip`."""

from __future__ import annotations

from typing import Final

from vshell.shell.commands.zip.create import ZIP
from vshell.shell.commands.zip.extract import UNZIP

COMMANDS: Final = (ZIP, UNZIP)
