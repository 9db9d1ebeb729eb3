"""From the paths that a person gives to the delivered files in them: folders walked, zip archives opened."""

import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amazon import limits
from amazon.problems import FileRefused
from detection.reports import Refused

SUFFIXES = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".gz", ".zip")
_BLOCK = 1 << 20
_ENCRYPTED = 0x1
_CANNOT_UNPACK = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)
_NO_REPORTS = f"no file whose name ends in {', '.join(SUFFIXES)}."


@dataclass(frozen=True, slots=True)
class Source:
    """One delivered file: the name that evidence shows, and where its bytes lie.

    member: the name inside the zip archive at `path`, None for a file of its own. given: the path with the folder as
    the person typed it, which tells two files of the same name apart.
    """

    name: str
    path: Path
    given: str
    member: str | None = None

    def plain_path(self, folder: Path) -> Path:
        """Return where the delivered bytes lie as a file: the member of an archive is written into `folder` first.

        Raises FileRefused where the member cannot be unpacked, or would grow out of all proportion.
        """
        if self.member is None:
            return self.path
        target = folder / f"member-{len(os.listdir(folder))}"
        with zipfile.ZipFile(self.path) as archive:
            info = archive.getinfo(self.member)
            if info.flag_bits & _ENCRYPTED:
                raise FileRefused(
                    "unreadable", "It is encrypted. Unpack it with its password and give the file itself."
                )
            try:
                _unpack(archive, info, target)
            except _CANNOT_UNPACK as error:
                raise FileRefused(
                    "unreadable", f"It cannot be unpacked ({_words(error)}). Download it again."
                ) from error
        if _is_zip(target, self.member):
            raise FileRefused(
                "nested_archive",
                "It is a zip archive inside a zip archive. Unpack the outer one and give this one itself.",
            )
        return target


def find(paths: Sequence[Path]) -> tuple[list[Source], list[Refused]]:
    """Return the files that `paths` name, in the order of their names, and what of the paths cannot be used."""
    found = [each for path in paths for each in _within(path)]
    sources = [each for each in found if isinstance(each, Source)]
    refused = [each for each in found if isinstance(each, Refused)]
    return sorted(_told_apart(sources), key=lambda source: source.name), refused


def _within(path: Path) -> list[Source | Refused]:
    if path.is_dir():
        found = [each for file in _walk(path) for each in _opened(file, file.relative_to(path).as_posix())]
        return found or [Refused(str(path), "no_reports", f"The folder holds no reports: {_NO_REPORTS}")]
    if path.exists():
        return list(_opened(path, path.name))
    return [Refused(str(path), "missing_file", "There is no such file or folder.")]


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(parent, name)


def _opened(path: Path, name: str) -> Iterator[Source | Refused]:
    """Yield the file itself or, of a zip archive, its members."""
    if path.exists() and not path.is_file():
        yield Refused(name, "unreadable", "It is not a file but a pipe or a device. Save it as a file first.")
        return
    if not _is_zip(path, path.name):
        yield Source(name, path, str(path))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info.filename for info in archive.infolist() if _is_report(info)]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Refused(name, "unreadable", f"It is a damaged zip archive ({_words(error)}). Download it again.")
        return
    if not members:
        yield Refused(name, "no_reports", f"The archive holds no reports: {_NO_REPORTS}")
    for member in members:
        yield Source(f"{name}!{member}", path, f"{path}!{member}", member)


def _is_zip(path: Path, name: str) -> bool:
    # A workbook is a zip archive too, and so is half a download, whose end is missing.
    try:
        return zipfile.is_zipfile(path) and not name.lower().endswith((".xlsx", ".xlsm"))
    except OSError:
        return False


def _is_report(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.split("/")
    is_hidden = any(part.startswith((".", "__MACOSX")) and part not in {".", ".."} for part in parts)
    return not info.is_dir() and not is_hidden and info.filename.lower().endswith(SUFFIXES)


def _told_apart(sources: list[Source]) -> Iterator[Source]:
    """Name by their whole path the different files that would have the same name; drop what was given twice."""
    once: dict[tuple[Path, str | None], Source] = {}
    for source in sources:
        once.setdefault((source.path.absolute(), source.member), source)
    count = Counter(source.name for source in once.values())
    for source in once.values():
        yield source if count[source.name] == 1 else Source(source.given, source.path, source.given, source.member)


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    written = 0
    with archive.open(info) as packed, target.open("wb") as file:
        while block := packed.read(_BLOCK):
            written += len(block)
            limits.check_growth(info.compress_size, written)
            file.write(block)


def _words(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
