"""What is read: the bytes of a file, and errors that say where in it something is wrong."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ...errors import CircuitError, FileError
from ...storage import read_file

_LARGEST = 2**31  # bytes that a compressed file may hold: a bomb of a few kilobytes would fill the memory
_LONGEST = 800  # characters of what is wrong: names and words of other libraries have no end
_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # what Excel calls Unicode text


@dataclass(frozen=True)
class Source:
    """A file that has been read whole, so that parsers never meet a half-read one."""

    path: Path
    data: bytes

    def error(self, problem: object, where: str = "") -> CircuitError:
        """The error to raise; `where` is a line, a neuron or a synapse."""
        text = str(problem)
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        return CircuitError(f"{self.path}{', ' if where else ''}{where[:_LONGEST]}: {text}")

    def text(self) -> str:
        """The content as text; a byte order mark is dropped."""
        encoding = "utf-16" if self.data.startswith(_UTF16) else "utf-8-sig"
        try:
            text = self.data.decode(encoding)
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            name = "UTF-16" if encoding == "utf-16" else "UTF-8"
            raise self.error(
                f"byte {error.start} is 0x{self.data[error.start]:02x}, which is not {name} text",
                f"line {line}",
            ) from None
        if not text.strip():
            raise self.error("the file is empty")
        return text


def read_together(paths: list[Path]) -> list[Source]:
    """The files of one circuit, as they were at one moment, unpacked if they are compressed.

    Raises:
        CircuitError: a path is no regular file, or another program replaced the files meanwhile.
        FileNotFoundError: a file is missing.
        OSError: a link leads in a circle, a file stands for a directory, ...
    """
    for path in paths:
        if path.is_dir():
            raise CircuitError(f"{path}: this is a directory, expected a file")
        try:
            path.stat()
        except FileNotFoundError:
            together = f"; this format is made of {' and '.join(p.name for p in paths)}" if paths[1:] else ""
            raise FileNotFoundError(f"there is no file {path}{together}") from None
    before = _identity(paths[0])
    try:
        sources = [unpacked(Source(path, read_file(path))) for path in paths]
    except FileError as error:
        raise CircuitError(str(error)) from None
    # A writer replaces the first file before the others, so if it is the same now, all of them belong to it.
    if _identity(paths[0]) != before:
        raise CircuitError(f"{paths[0]}: the file was replaced while it was read; read it again")
    return sources


def read_open(file: IO[Any]) -> Source:
    """What an open file holds, in text or in binary mode."""
    name = getattr(file, "name", None)
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else Path("the open file")
    try:
        data = file.read()
    except TypeError:  # whose read() is another one
        raise TypeError(f"expected an open file, got {type(file).__name__}") from None
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    if not isinstance(data, bytes):
        raise TypeError(f"expected a file that gives text or bytes, got {type(data).__name__}")
    return unpacked(Source(path, data))


def unpacked(source: Source) -> Source:
    """The same file without the compression of gzip, which its first bytes tell."""
    if not source.data.startswith(b"\x1f\x8b"):
        return source
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(source.data)) as file:
            data = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise source.error(f"the compressed file is damaged: {error}") from None
    if len(data) > _LARGEST:
        raise source.error(f"it unpacks to more than {_LARGEST >> 30} GiB, which is no circuit")
    return Source(source.path, data)


def _identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
