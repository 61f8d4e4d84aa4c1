"""What may be on a disk after the power failed, given what was written, truncated and synced.

The model
---------
A cut comes between two recorded calls.
What is on the disk then is chosen piece by piece, and each choice is independent of the others:

- A *sector* (512 bytes; in half of the images 4,096, as disks have today) of a file holds what it
  held at any moment from the last fsync or fdatasync of that file up to the cut.
  Nothing orders sectors among each other or between files, save those calls.
- The bytes that a write covers and that were not synced may also hold anything at all, as when the
  power fails in the middle of a sector.
  The bytes beside them, in the same sector, are safe: this is what SQLite calls
  *powersafe overwrite* and takes for granted unless it is told otherwise.
- The *length* of a file is that of any such moment too; where it grew over sectors that never
  arrived, they are zeros.
- A *name* in the folder leads to what it led to at any moment since the folder itself was last
  synced: a new file may have no name, a removed one may be back.
  Syncing a file doesn't sync its name, which is less than most file systems do.
- The shared memory file is a cache: it is missing, or holds anything.
- The ledger is not on this disk: what was called outside stays called.

Not in the model: a disk that says it has synced what it has not, and synced sectors that decay.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path, PurePath
from random import Random
from typing import Final, TypeAlias, final

import attrs

SECTOR: Final = 512
PAGE: Final = 4096
LEDGER: Final = "ledger"
_HEAD: Final = struct.Struct("=IiQQ")

Image: TypeAlias = dict[str, bytes]
"""The content of every file, by its name."""

Versions: TypeAlias = list[tuple[int, bytes]]
"""What a sector held from which moment on."""

Pairs: TypeAlias = list[tuple[int, int]]


class What(IntEnum):
    """What a call did; the numbers are those of the C source."""

    OPENED = 0
    CREATED = 1
    WRITTEN = 2
    TRUNCATED = 3
    SYNCED = 4
    UNLINKED = 5
    RENAMED = 6
    CLOSED = 7
    MARKED = 8


@final
@attrs.frozen
class Call:
    """One recorded call."""

    what: What
    fd: int
    offset: int  # Or the new length, or the number of a mark.
    data: bytes  # Or a path.


def calls(trace: Path) -> Iterator[Call]:
    """Read a trace."""
    recorded = trace.read_bytes()
    place = 0
    while place < len(recorded):
        what, fd, offset, size = _HEAD.unpack_from(recorded, place)
        place += _HEAD.size
        carries = What(what) not in (What.TRUNCATED, What.MARKED)
        yield Call(What(what), fd, offset, recorded[place : place + size] if carries else b"")
        place += size


@final
@attrs.define(eq=False)
class File:
    """A file: as it was when it was last synced, and everything that happened to it since."""

    synced: bytes = b""
    now: bytearray = attrs.field(factory=bytearray)
    sectors: dict[int, list[tuple[int, bytes]]] = attrs.field(
        factory=dict[int, list[tuple[int, bytes]]]
    )  # Moment, content.
    written: dict[int, list[tuple[int, int]]] = attrs.field(
        factory=dict[int, list[tuple[int, int]]]
    )  # Bytes of a sector.
    lengths: Pairs = attrs.field(factory=list[tuple[int, int]])  # Moment, length.

    def write(self, moment: int, offset: int, data: bytes) -> None:
        """Write at a place; a gap before it is zeros."""
        before, end = len(self.now), offset + len(data)
        self.now.extend(bytes(max(0, offset - before)))
        self.now[offset:end] = data
        self._changed(moment, min(before, offset), end)
        for sector in range(offset // SECTOR, -(-end // SECTOR)):
            begin = sector * SECTOR
            covered = (max(offset, begin) - begin, min(end, begin + SECTOR) - begin)
            self.written.setdefault(sector, []).append(covered)

    def truncate(self, moment: int, length: int) -> None:
        """Cut the file, or let it grow by zeros."""
        before = len(self.now)
        self.now[length:] = bytes(max(0, length - before))
        self._changed(moment, min(before, length), max(before, length))

    def sync(self) -> None:
        """Forget every moment but this one."""
        self.synced = bytes(self.now)
        self.sectors.clear()
        self.written.clear()
        self.lengths.clear()

    def _changed(self, moment: int, begin: int, end: int) -> None:
        for sector in range(begin // SECTOR, -(-end // SECTOR)):
            content = bytes(self.now[sector * SECTOR : (sector + 1) * SECTOR])
            self.sectors.setdefault(sector, []).append((moment, content))
        self.lengths.append((moment, len(self.now)))


Changes: TypeAlias = list[tuple[int, File | None]]
"""What a name led to from which moment on; None when it was removed."""


@final
@attrs.define(eq=False)
class Disk:
    """The files of one folder, and which name leads to which of them."""

    moment: int = 0
    names: dict[str, File] = attrs.field(factory=dict[str, File])
    synced_names: dict[str, File] = attrs.field(factory=dict[str, File])
    changes: dict[str, list[tuple[int, File | None]]] = attrs.field(
        factory=dict[str, list[tuple[int, File | None]]]
    )
    mark: int = 0
    _open: dict[int, File | None] = attrs.field(
        factory=dict[int, File | None]
    )  # None is the folder.

    def take(self, call: Call) -> None:
        """Let one call happen."""
        self.moment += 1
        match call.what:
            case What.OPENED | What.CREATED:
                self._opened(call)
            case What.CLOSED:
                del self._open[call.fd]
            case What.WRITTEN:
                self._written(call)
            case What.TRUNCATED:
                self._file(call).truncate(self.moment, call.offset)
            case What.SYNCED:
                self._synced(call)
            case What.UNLINKED:
                name = PurePath(call.data.decode()).name
                del self.names[name]
                self.changes.setdefault(name, []).append((self.moment, None))
            case What.MARKED:
                self.mark = call.offset
            case What.RENAMED:
                raise AssertionError("the model doesn't know renaming; teach it")

    @property
    def is_settled(self) -> bool:
        """Whether only one image is lawful now."""
        files = {*self.names.values(), *self.synced_names.values()}
        return not self.changes and not any(each.lengths for each in files)

    def _opened(self, call: Call) -> None:
        name = PurePath(call.data.decode()).name
        if call.what is What.CREATED:
            self.names[name] = File()
            if name != LEDGER:
                self.changes.setdefault(name, []).append((self.moment, self.names[name]))
        self._open[call.fd] = self.names.get(name)  # The folder has no name in itself.

    def _written(self, call: Call) -> None:
        file = self._file(call)
        file.write(self.moment, call.offset, call.data)
        if file is self.names.get(LEDGER):
            file.sync()

    def _synced(self, call: Call) -> None:
        file = self._open[call.fd]
        if file is not None:
            file.sync()
        else:
            self.synced_names = dict(self.names)
            self.changes.clear()

    def _file(self, call: Call) -> File:
        file = self._open[call.fd]
        assert file is not None, "nobody writes to a folder"
        return file


def images(disk: Disk, chance: Random) -> Iterator[Image]:
    """Yield lawful images without end: nothing arrived, everything did, then whatever did."""
    yield _image(disk, Choice(chance, "nothing"))
    yield _image(disk, Choice(chance, "everything"))
    while True:
        how = chance.choice(("anything", "nearly nothing", "nearly everything", "torn"))
        yield _image(disk, Choice(chance, how, chance.choice((SECTOR, PAGE))))


@final
@attrs.define
class Choice:
    """How one image is drawn."""

    chance: Random
    how: str
    unit: int = SECTOR  # What is written as one.

    def moment(self, changes: Sequence[int]) -> int:
        """Choose the moment that a piece is of; 0 is when it was last synced."""
        match self.how:
            case "nothing":
                return 0
            case "everything":
                return changes[-1]
            case "nearly nothing":
                return changes[-1] if self.chance.random() < 0.1 else 0
            case "nearly everything":
                return 0 if self.chance.random() < 0.1 else changes[-1]
            case _:
                return self.chance.choice((0, *changes))


def _image(disk: Disk, choice: Choice) -> Image:
    image: Image = {}
    for name in sorted({*disk.names, *disk.synced_names, *disk.changes}):
        file = disk.synced_names.get(name)
        if changes := disk.changes.get(name):
            moment = choice.moment([each for each, _ in changes])
            for at, led_to in changes:
                file = led_to if at <= moment else file
        if name == LEDGER:
            file = disk.names[name]
        if file is not None:
            image[name] = _content(file, choice)
    if choice.how not in ("nothing", "everything") and choice.chance.random() < 0.3:
        image["jobs.db-shm"] = choice.chance.randbytes(32768)
    return image


def _content(file: File, choice: Choice) -> bytes:
    """Draw what the disk holds of a file."""
    if not file.lengths:
        return file.synced
    moments = [moment for moment, _ in file.lengths]
    of_length = choice.moment(moments)
    length = [len(file.synced), *(each for at, each in file.lengths if at <= of_length)][-1]
    content = bytearray(file.synced.ljust(length, b"\0"))
    chosen: dict[int, int] = {}  # By the page or sector that is written as one.
    for sector, versions in file.sectors.items():
        unit = sector * SECTOR // choice.unit
        if unit not in chosen:
            chosen[unit] = choice.moment(moments if choice.unit > SECTOR else _moments(versions))
        for at, version in versions:
            if at <= chosen[unit]:
                _put(content, sector * SECTOR, version.ljust(SECTOR, b"\0"))
        if choice.how == "torn" and choice.chance.random() < 0.2:
            for begin, end in file.written.get(sector, ()):
                _put(content, sector * SECTOR + begin, choice.chance.randbytes(end - begin))
    return bytes(content[:length])


def _moments(versions: Sequence[tuple[int, bytes]]) -> list[int]:
    return [moment for moment, _ in versions]


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if offset < len(content):  # What lies behind the end of the file is lost.
        content[offset : offset + len(data)] = data
