"""What is read: the bytes of a file, and errors that say where in it something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import CircuitError


@dataclass(frozen=True)
class Source:
    """A file that has been read whole, so that parsers never meet a half-read one."""

    path: Path
    data: bytes

    def error(self, problem: object, where: str = "") -> CircuitError:
        """The error to raise; `where` is a line, a neuron or a synapse."""
        return CircuitError(f"{self.path}{', ' if where else ''}{where}: {problem}")

    def text(self) -> str:
        """The content as text; a byte order mark is dropped."""
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise self.error(
                f"byte {error.start} is 0x{self.data[error.start]:02x}, which is not UTF-8 text",
                f"line {line}",
            ) from None
        if not text.strip():
            raise self.error("the file is empty")
        return text


def read_together(paths: list[Path]) -> list[Source]:
    """The files of one circuit, as they were at one moment.

    Raises:
        CircuitError: a path is a directory, or another program replaced the files meanwhile.
        FileNotFoundError: a file is missing.
    """
    for path in paths:
        if path.is_dir():
            raise CircuitError(f"{path}: this is a directory, expected a file")
        if not path.exists():
            together = f"; this format is made of {' and '.join(p.name for p in paths)}" if paths[1:] else ""
            raise FileNotFoundError(f"there is no file {path}{together}")
    before = _identity(paths[0])
    sources = [Source(path, path.read_bytes()) for path in paths]
    # A writer replaces the first file before the others, so if it is the same now, all of them belong to it.
    if _identity(paths[0]) != before:
        raise CircuitError(f"{paths[0]}: the file was replaced while it was read; read it again")
    return sources


def _identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
