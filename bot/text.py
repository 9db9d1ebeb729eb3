"""Text that was not written by us, made safe for Slack: escaped, on one line, and cut to fit its block.

Slack reads `&`, `<` and `>` as marks everywhere, so that a product title can ping a whole channel. In mrkdwn it also
reads `*`, `_`, `~` and backticks, which have no escape: outside text goes into plain_text, or between code marks.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from claims import words
from detection.marketplaces import marketplaces

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CUT = "…"
_FENCE = "```"


def plain(text: str, limit: int) -> str:
    """Return `text` escaped, on one line, in at most `limit` characters; what is cut ends in an ellipsis.

    The limit holds after escaping, and no entity is cut in two. May be empty, which Slack refuses: see `or_dash`.
    Escape once, at the block: what is put together before that is cut with `short`.
    """
    return _cut_to([_ESCAPES.get(c, c) for c in _one_line(text)], limit)


def short(text: str, limit: int) -> str:
    """Return `text` on one line, in at most `limit` characters, not escaped: a part of a text that `plain` takes."""
    return _cut_to(list(_one_line(text)), limit)


def or_dash(text: str) -> str:
    """Return `text`, or a dash where it is empty: Slack refuses a message with an empty text."""
    return text or "–"


def code(text: str, limit: int) -> str:
    """Return `text` between code marks, in at most `limit` characters with them; its own backticks become quotes."""
    return f"`{or_dash(plain(text.replace('`', chr(39)), limit - 2))}`"


def code_lines(text: str, limit: int) -> list[str]:
    """Return a text of many lines between code marks, in parts of at most `limit` characters, cut between lines.

    A line that is longer than a part is cut; its backticks become quotes.
    """
    parts: list[str] = []
    room = limit - len(_FENCE) * 2 - 2
    for line in text.replace("`", "'").splitlines() or [""]:
        escaped = plain(line, room)
        if parts and _length(parts[-1]) + _length(escaped) + 1 <= room:
            parts[-1] += f"\n{escaped}"
        else:
            parts.append(escaped)
    return [f"{_FENCE}\n{or_dash(part)}\n{_FENCE}" for part in parts]


def moment(at: datetime) -> str:
    """Return a time that Slack shows in the reader's own zone; where it cannot, the UTC time is shown. For mrkdwn."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{clock_words(at)}>"


def clock_words(at: datetime) -> str:
    """Return a time in words: "20 Nov 2026, 09:14 UTC"."""
    utc = at.astimezone(UTC)
    return f"{words.day(utc.date())}, {utc:%H:%M} UTC"


def value_words(value: Decimal | None, currency: str | None) -> str:
    """Return an amount in words, which stands alone where it is not known: "37.02 USD", "value not known"."""
    return f"value {words.NOT_KNOWN}" if value is None else words.money(value, currency)


def marketplace_day(code: str, now: datetime) -> date:
    """Return the calendar day it is in a marketplace, whose days deadlines are; UTC's where it is not known."""
    place = marketplaces().get(code)
    return place.day_of(now) if place else now.astimezone(UTC).date()


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _cut_to(pieces: list[str], limit: int) -> str:
    if sum(map(_length, pieces)) <= limit:
        return "".join(pieces)
    kept, room = [], limit - len(_CUT)
    for piece in pieces:
        room -= _length(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + _CUT


def _length(piece: str) -> int:
    """Count as Slack does at its most careful: a character beyond the basic plane is two."""
    return len(piece.encode("utf-16-le")) // 2
