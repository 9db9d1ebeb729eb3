"""A claim's history with the texts that came with each move. Pure: rows in, moments out."""

from collections.abc import Iterable
from dataclasses import dataclass

from models import ClaimNote, HistoryEntry, NoteKind


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a moment: what Amazon wrote, or what one of us did."""

    text: str
    is_amazons: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """One move and what was said with it."""

    entry: HistoryEntry
    said: tuple[Said, ...]


def timeline(history: Iterable[HistoryEntry], notes: Iterable[ClaimNote]) -> list[Moment]:
    """Return the moments, newest first. A text stands with the move of the same person and moment."""
    left = list(notes)
    moments = [Moment(entry, tuple(_said(entry, left))) for entry in history]
    return moments[::-1]


# Moves with which a reply of Amazon's may come, and the one that is nothing but a note.
_WITHOUT_REPLY = frozenset({"noted", "assigned", "case_corrected", "document_added", "created"})
_NOTED = "noted"


def _said(entry: HistoryEntry, left: list[ClaimNote]) -> Iterable[Said]:
    """Yield the texts of a move, and take them out of those that are left."""
    mine = [note for note in left if (note.created_at, note.author_id) == (entry.at, entry.actor_id)]
    reply = next((note for note in mine if note.kind is NoteKind.AMAZON_REPLY), None)
    if reply is not None and entry.action not in _WITHOUT_REPLY:
        left.remove(reply)
        yield Said(reply.text, is_amazons=True)
    note = next((note for note in mine if note.kind is NoteKind.NOTE and entry.note in (None, note.text)), None)
    if note is not None and (entry.note or entry.action == _NOTED):
        left.remove(note)
        yield Said(note.text, is_amazons=False)
    elif entry.note:
        yield Said(entry.note, is_amazons=False)
