"""What a file is by what it holds: its name proves nothing. Pure: bytes and a name in, a type out."""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO


@dataclass(frozen=True, slots=True)
class FileType:
    """A kind of file that is taken: its media type, and the endings that its name may have, the usual one first."""

    content_type: str
    endings: tuple[str, ...]


PDF = FileType("application/pdf", (".pdf",))
PNG = FileType("image/png", (".png",))
JPEG = FileType("image/jpeg", (".jpg", ".jpeg"))
TEXT = FileType("text/plain", (".txt", ".log", ".tsv", ".md"))
CSV = FileType("text/csv", (".csv",))
MAIL = FileType("message/rfc822", (".eml",))
XLSX = FileType("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (".xlsx",))
DOCX = FileType("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",))

TAKEN = (PDF, PNG, JPEG, TEXT, CSV, XLSX, DOCX, MAIL)
IN_WORDS = "PDF, PNG, JPEG, text, CSV, Excel (.xlsx), Word (.docx) or a mail (.eml)"

_STARTS = ((b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))
_PDF = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}%PDF-")  # readers take one that begins with blanks
_TEXTS = {ending: kind for kind in (CSV, MAIL) for ending in kind.endings}
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
_RUNS_IN_BROWSERS = re.compile(r"\s*<(?:!doctype|\?xml|html|head|body|script|svg|iframe)\b", re.IGNORECASE)
_MAIL_FIELD = re.compile(r"^(?:from|date|received|return-path|message-id|mime-version|subject):", re.I | re.M)
_LARGEST_DIRECTORY = 1024 * 1024  # a real document's list of members has some kilobytes
_ZIP_END = b"PK\x05\x06"
_ZIP_END_WITHIN = 65_557


def type_of(content: bytes, name: str) -> FileType | None:
    """Return what the file is, None where it is nothing that is taken. The name only tells texts from each other."""
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    if _PDF.match(content):
        return PDF
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    text = _text(content)
    if text is not None and not _RUNS_IN_BROWSERS.match(text):
        return _kind_of_text(text, name)
    return None


def _kind_of_text(text: str, name: str) -> FileType:
    kind = next((kind for ending, kind in _TEXTS.items() if name.lower().endswith(ending)), TEXT)
    head = re.split(r"\r?\n\r?\n", text.lstrip(), maxsplit=1)[0]
    return TEXT if kind is MAIL and not _MAIL_FIELD.search(head) else kind


def _text(content: bytes) -> str | None:
    """Return the file as text; None where it holds bytes that no text has."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            return None
    if _BINARY.search(content):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _office(content: bytes) -> FileType | None:
    """Return which office document a zip archive is; one with macros is none. Nothing is unpacked."""
    if not _has_small_directory(content):
        return None
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in members or any(name.lower().endswith("vbaproject.bin") for name in members):
        return None
    if "xl/workbook.xml" in members:
        return XLSX
    return DOCX if "word/document.xml" in members else None


def _has_small_directory(content: bytes) -> bool:
    """Whether the list of members is small enough to be read at all, whichever end record a reader takes."""
    tail = content[-_ZIP_END_WITHIN:]
    sizes = [int.from_bytes(tail[at.start() + 12 : at.start() + 16], "little") for at in re.finditer(_ZIP_END, tail)]
    return bool(sizes) and max(sizes) <= _LARGEST_DIRECTORY
