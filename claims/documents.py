"""Files that people put to a claim, or answer a request with: checked while they are read, kept in the database.

`read` needs no database and comes first, so that no transaction waits for a slow sender; then `add_to_claim`, or
`store` for whoever has checked the rights to what the file belongs to.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from claims import file_types, history, moves
from claims.access import Actor
from errors import InvalidInput, NotFound
from models import Document, DocumentKind

_KB = 1024
_MB = 1024 * _KB
LARGEST = 20 * _MB
LARGEST_IN_WORDS = "20 MB"
_AT_ONCE = 64 * _KB
_LONGEST_NAME = 150
_PATH = re.compile(r"[\\/]")
_UNSAFE = re.compile(r'[<>:"|?*]+')
_FIELD = "file"


class Readable(Protocol):
    """Something that gives its bytes part by part: an open file, an upload."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was read and may be kept. `name` is cleaned and ends as what the file is."""

    name: str
    content_type: str
    content: bytes


def read(source: Readable, name: str | None) -> Upload:
    """Return what was sent, if it is a file that is taken.

    Reads no more than LARGEST bytes and one part. Raises InvalidInput for an empty file, one that is too large, and one
    that is of no kind that is taken, whatever its name says.
    """
    content = _content(source)
    kind = file_types.type_of(content, name or "")
    if kind is None:
        raise InvalidInput(
            f"{_cleaned(name) or 'This file'} is of a kind that is not taken.",
            field=_FIELD,
            todo=f"Send {file_types.IN_WORDS}.",
        )
    return Upload(_named(name, kind), kind.content_type, content)


def add_to_claim(
    session: Session, claim_id: int, upload: Upload, *, kind: DocumentKind, actor: Actor, now: datetime
) -> Document:
    """Put a file to a claim. One that is there already stays as it is. Raises NotAllowed and NotFound."""
    claim = moves.locked(session, claim_id, actor)
    moves.require_person(actor)
    if there := _there(session, upload, claim_id=claim.id):
        return there
    claim.updated_at = now
    note = f"{upload.name}, {size_in_words(len(upload.content))}"
    history.add(
        session, history.entry(actor=actor, now=now, action="document_added", claim_id=claim.id, reason=kind, note=note)
    )
    client_id = claim.account.client_id
    return store(session, upload, kind=kind, client_id=client_id, claim_id=claim.id, actor=actor, now=now)


def store(
    session: Session,
    upload: Upload,
    *,
    kind: DocumentKind,
    client_id: int,
    claim_id: int | None = None,
    request_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Document:
    """Keep a file of a client's, for a claim or a request; the same file for the same one is kept once.

    The caller has checked that this person may change what it belongs to, and writes the history. Raises NotFound for
    a client that does not exist for this person.
    """
    if not actor.sees(client_id):
        raise NotFound("There is nothing to put this file to.")
    if there := _there(session, upload, claim_id=claim_id, request_id=request_id):
        return there
    row = Document(
        client_id=client_id,
        claim_id=claim_id,
        request_id=request_id,
        kind=kind,
        name=upload.name,
        content_type=upload.content_type,
        size=len(upload.content),
        sha256=hashlib.sha256(upload.content).hexdigest(),
        content=upload.content,
        uploaded_by_id=actor.user_id,
        uploaded_by_name=actor.name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def load(session: Session, document_id: int, actor: Actor, *, claim_id: int | None = None) -> Document:
    """Return a document with its content, if it exists for this person and, where given, with this claim.

    Raises NotFound.
    """
    found = session.scalar(select(Document).where(Document.id == document_id).options(undefer(Document.content)))
    is_elsewhere = found is not None and claim_id is not None and found.claim_id != claim_id
    if found is None or is_elsewhere or not actor.sees(found.client_id):
        raise NotFound(f"There is no document {document_id}.")
    return found


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it, in units of 1,024: "340 kB", "1.2 MB"."""
    if size < _KB:
        return f"{size} bytes"
    if size < _MB:
        return f"{size // _KB} kB"
    tenths = size * 10 // _MB
    return f"{tenths // 10}.{tenths % 10} MB"


def _content(source: Readable) -> bytes:
    parts, size = [], 0
    while part := source.read(_AT_ONCE):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise too_large()
    if not size:
        raise InvalidInput("The file is empty.", field=_FIELD, todo="Choose the file again.")
    return b"".join(parts)


def too_large() -> InvalidInput:
    """Return what to tell somebody whose file is too large."""
    return InvalidInput(
        f"The file is larger than {LARGEST_IN_WORDS}.", field=_FIELD, todo="Send a smaller one, or send it in parts."
    )


def _named(name: str | None, kind: file_types.FileType) -> str:
    """Return a name of one line that is safe on every system, ending as what the file is."""
    cleaned = _cleaned(name)
    stem, dot, ending = cleaned.rpartition(".")
    if f".{ending.lower()}" in kind.endings and stem.strip():
        return stem[:_LONGEST_NAME].strip() + dot + ending
    known = {each for taken in file_types.TAKEN for each in taken.endings}
    stem = stem if stem and f".{ending.lower()}" in known else cleaned
    return (stem[:_LONGEST_NAME].strip() or "document") + kind.endings[0]


def _cleaned(name: str | None) -> str:
    last = _PATH.split(unicodedata.normalize("NFC", name or ""))[-1]
    shown = "".join(c if c.isprintable() else " " for c in last if unicodedata.category(c) != "Cf")
    return " ".join(_UNSAFE.sub(" ", shown).split()).strip(". ")


def _there(
    session: Session, upload: Upload, *, claim_id: int | None = None, request_id: int | None = None
) -> Document | None:
    same = select(Document).where(
        Document.sha256 == hashlib.sha256(upload.content).hexdigest(),
        Document.claim_id.is_(None) if claim_id is None else Document.claim_id == claim_id,
        Document.request_id.is_(None) if request_id is None else Document.request_id == request_id,
    )
    return session.scalar(same.limit(1))
