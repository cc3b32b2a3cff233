"""The files of an RxNorm release, in a folder or inside a zip: found, fingerprinted, and read block by block.

Nothing is unpacked to disk and no more than one block is held, whatever the size. Fingerprints are whole SHA-256:
what was read is reused only for the same content, also from another host or a fresh copy, which a date could not
tell; it costs about a second for 500 MB. A file inside a zip is known by the hash of the whole zip.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

from rules.rxnorm import reading
from rules.rxnorm.rows import BadFile

NEEDED = ("RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF")
LAYOUTS = ("", "rrf/", "prescribe/rrf/")  # the full release holds the last two; its own files come first
BLOCK = 1 << 20  # bytes
LARGEST_SOURCES = 4 << 20  # bytes of RXNSAB read at most; it has a line for each source
Say = Callable[[str, int, int], None]
"""Progress: file name, bytes done, bytes in all."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes a source file the same: its name, its size in bytes, its content."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """Where the three files are: a folder, or a zip with the path of the folder inside it."""

    path: Path
    inside: str
    is_zip: bool

    def fingerprints(self, *, say: Say) -> tuple[Fingerprint, ...]:
        """Of the three files, each read once. Raises BadFile."""
        if self.is_zip:
            whole = _sha256(self.path, say=say)
            return tuple(Fingerprint(name, self.size(name=name), f"{whole} {self.inside}{name}") for name in NEEDED)
        return tuple(Fingerprint(one, self.size(name=one), _sha256(self._file(one), say=say)) for one in NEEDED)

    def size(self, *, name: str) -> int:
        """Bytes of a file, unpacked."""
        if not self.is_zip:
            return self._file(name).stat().st_size
        with zipfile.ZipFile(self.path) as archive:
            return archive.getinfo(self.inside + name).file_size

    def blocks(self, *, name: str, say: Say) -> Iterator[bytes]:
        """The file from its beginning. Raises BadFile where the zip is damaged, OSError where the disk is."""
        total, done = self.size(name=name), 0
        try:
            with contextlib.ExitStack() as opened:
                for block in _blocks(self._opened(name, opened)):
                    done += len(block)
                    yield block
                    say(name, done, total)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise BadFile(file=self.path.name, fault=f"{name} inside it cannot be unpacked ({error})") from error
        if done != total:
            raise BadFile(file=name, fault=f"it has {done} bytes instead of {total}")

    def _opened(self, name: str, opened: contextlib.ExitStack) -> IO[bytes]:
        if not self.is_zip:
            return opened.enter_context(self._file(name).open("rb"))
        return opened.enter_context(opened.enter_context(zipfile.ZipFile(self.path)).open(self.inside + name))

    def dates(self) -> dict[str, date]:
        """Release dates by where they were found: names of NLM's for folder, zip and read-me, and RXNSAB."""
        above = [self.path] if self.is_zip else [self.path, *self.path.parents[:2]]
        named = [one.rpartition("/")[2] for one in self._beside()]
        named += [one.name for one in above if reading.release_in_name(name=one.name)][:1]  # the nearest speaks
        found = {one: day for one in named if (day := reading.release_in_name(name=one)) is not None}
        day = reading.release_in_sources(text=self._sources())
        return {**found, "RXNSAB.RRF": day} if day is not None else found

    def _beside(self) -> list[str]:
        """Names in the release's outermost folder."""
        if self.is_zip:
            with zipfile.ZipFile(self.path) as archive:
                return [one for one in archive.namelist() if "/" not in one]
        around = {self.path, self.path / self.inside, (self.path / self.inside).parent}
        return [one.name for folder in around for one in folder.glob("[Rr][Ee][Aa][Dd][Mm][Ee]*.txt")]

    def _sources(self) -> str:
        if self.is_zip:
            with zipfile.ZipFile(self.path) as archive:
                if self.inside + "RXNSAB.RRF" not in archive.namelist():
                    return ""
                with archive.open(self.inside + "RXNSAB.RRF") as source:
                    return source.read(LARGEST_SOURCES).decode("utf-8", "replace")
        if not self._file("RXNSAB.RRF").is_file():
            return ""
        with self._file("RXNSAB.RRF").open("rb") as source:
            return source.read(LARGEST_SOURCES).decode("utf-8", "replace")

    def _file(self, name: str) -> Path:
        return self.path / self.inside / name


def find(*, path: Path) -> Release:
    """The release at a path. Raises BadFile naming what is missing."""
    path = path.resolve()
    if path.is_dir():
        return _found(path, present=lambda name: (path / name).is_file(), is_zip=False)
    if not path.exists():
        raise BadFile(file=str(path), fault="there is no such file or folder", mend="check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            names = frozenset(archive.namelist())
    except zipfile.BadZipFile as error:
        mend = "give the folder or the whole zip of a release"
        raise BadFile(file=path.name, fault="it is neither a folder nor a whole zip", mend=mend) from error
    return _found(path, present=names.__contains__, is_zip=True)


def _found(path: Path, *, present: Callable[[str], bool], is_zip: bool) -> Release:
    for inside in LAYOUTS:
        missing = [name for name in NEEDED if not present(inside + name)]
        if not missing:
            return Release(path, inside, is_zip)
        if len(missing) < len(NEEDED):
            raise BadFile(file=f"{path.name}/{inside}{missing[0]}", fault="the file is missing")
    places = "in it, in rrf/ or in prescribe/rrf/"
    raise BadFile(file=path.name, fault=f"{', '.join(NEEDED)} are not {places}", mend="give the folder that holds them")


def _sha256(path: Path, *, say: Say) -> str:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as source:
        for block in _blocks(source):
            digest.update(block)
            done += len(block)
            say(f"{path.name} (fingerprint)", done, total)
    return digest.hexdigest()


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block
