"""Charts as SVG, drawn on the server: numbers in, markup out. Nothing here needs a script or a style of its own.

Shapes stand in percent of the width and pixels of the height, so that a chart fills its place and its words keep their
size. Colours are classes of the stylesheet, five at most: "accent", "second", "amber", "late" and "done".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from markupsafe import Markup

_PLOT_TOP, _BASE, _HEIGHT = 22, 142, 164
_BAR_SHARE = Decimal("0.72")
_LEAST_PIXELS = Decimal(2)
_STACK_HEIGHT = 36
# A row of `rows`: its height, its bar's, where the bar begins and how far it may reach, in percent of the width.
_ROW_HEIGHT, _ROW_BAR = 30, 18
_ROW_LEFT, _ROW_REACH = Decimal(38), Decimal(42)
# A word fits into a part of a stacked bar on a small screen: pixels of the bar there, of a letter, of the margins.
_NARROW_BAR, _LETTER, _MARGINS = 280, 7, 10
_THOUSAND, _TEN_THOUSAND, _MILLION = Decimal(1_000), Decimal(10_000), Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, zero or more, in one colour."""

    size: int | Decimal
    tone: str


@dataclass(frozen=True, slots=True)
class Column:
    """An upright bar: what stands under it, what stands on it, and what a pointer over it is told."""

    label: str
    parts: Sequence[Part]
    shown: str = ""
    told: str = ""

    @property
    def size(self) -> Decimal:
        """The whole height."""
        return sum((Decimal(part.size) for part in self.parts), start=Decimal(0))


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a stacked bar: its name, how many, and its colour."""

    name: str
    count: int
    tone: str


def columns(bars: Sequence[Column], *, name: str, title: str) -> Markup:
    """Return upright bars on a common zero. `name` is unique on the page, `title` states the finding."""
    highest = max((bar.size for bar in bars), default=Decimal(0)) or Decimal(1)
    slot = Decimal(100) / max(len(bars), 1)
    drawn = [_column(bar, slot * number, slot, highest, is_odd=bool(number % 2)) for number, bar in enumerate(bars)]
    base = Markup('<line class="base" x1="0" x2="100%" y1="{y}" y2="{y}"/>').format(y=_BASE)
    return _svg(Markup("").join([*drawn, base]), name=name, title=title, height=_HEIGHT)


def rows(bars: Sequence[Column], *, name: str, title: str) -> Markup:
    """Return lying bars on a common zero, one under the other: for labels too long to stand under an upright one."""
    longest = max((bar.size for bar in bars), default=Decimal(0)) or Decimal(1)
    drawn = [_row(bar, number * _ROW_HEIGHT, longest) for number, bar in enumerate(bars)]
    height = max(len(bars), 1) * _ROW_HEIGHT
    base = Markup('<line class="base" x1="{x}%" x2="{x}%" y1="0" y2="{y}"/>').format(x=_short(_ROW_LEFT), y=height)
    return _svg(Markup("").join([*drawn, base]), name=name, title=title, height=height)


def stacked(segments: Sequence[Segment], *, name: str, title: str) -> Markup:
    """Return one bar of parts side by side, each named where its name fits."""
    total = sum(segment.count for segment in segments)
    drawn, at = [], Decimal(0)
    for segment in segments:
        if segment.count:
            share = Decimal(100) * segment.count / total
            drawn.append(_segment(segment, at, share))
            at += share
    return _svg(Markup("").join(drawn), name=name, title=title, height=_STACK_HEIGHT)


def compact(amount: int | Decimal) -> str:
    """Return a number as short as a bar is wide: "1,235", "12.3k", "1.2M"; nothing for zero."""
    amount = Decimal(amount)
    if not amount:
        return ""
    if amount < _TEN_THOUSAND:
        whole = amount.quantize(Decimal(1), ROUND_HALF_UP)
        return f"{whole:,}" if whole else "<1"
    by, unit = (_MILLION, "M") if amount >= _MILLION - _THOUSAND / 2 else (_THOUSAND, "k")
    scaled = (amount / by).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{scaled:,}{unit}"


def _column(bar: Column, left: Decimal, slot: Decimal, highest: Decimal, *, is_odd: bool) -> Markup:
    width, middle = slot * _BAR_SHARE, left + slot / 2
    pieces, top = [], Decimal(_BASE)
    for part in bar.parts:
        if not part.size:
            continue
        height = max(Decimal(part.size) / highest * (_BASE - _PLOT_TOP), _LEAST_PIXELS)
        top -= height
        pieces.append(
            Markup('<rect class="{tone}" x="{x}%" y="{y}" width="{width}%" height="{height}"/>').format(
                tone=part.tone, x=_short(middle - width / 2), y=_short(top), width=_short(width), height=_short(height)
            )
        )
    words = Markup('<text class="{kind}" x="{x}%" y="{y}">{text}</text>')
    if bar.shown:
        pieces.append(words.format(kind="shown", x=_short(middle), y=_short(top - 6), text=bar.shown))
    label = "label odd" if is_odd else "label"
    pieces.append(words.format(kind=label, x=_short(middle), y=_HEIGHT - 4, text=bar.label))
    return Markup("<g>{told}{pieces}</g>").format(told=_told(bar.told), pieces=Markup("").join(pieces))


def _row(bar: Column, top: int, longest: Decimal) -> Markup:
    middle, left, pieces = top + _ROW_HEIGHT // 2, _ROW_LEFT, []
    for part in bar.parts:
        if part.size:
            width = max(Decimal(part.size) / longest * _ROW_REACH, Decimal("0.3"))
            pieces.append(
                Markup('<rect class="{tone}" x="{x}%" y="{y}" width="{width}%" height="{height}"/>').format(
                    tone=part.tone, x=_short(left), y=middle - _ROW_BAR // 2, width=_short(width), height=_ROW_BAR
                )
            )
            left += width
    words = Markup('<text class="{kind}" x="{x}%" y="{y}">{text}</text>')
    pieces += [
        words.format(kind="name", x=_short(_ROW_LEFT - 1), y=middle + 4, text=bar.label),
        words.format(kind="shown after", x=_short(left + 1), y=middle + 4, text=bar.shown),
    ]
    return Markup("<g>{told}{pieces}</g>").format(told=_told(bar.told), pieces=Markup("").join(pieces))


def _segment(segment: Segment, left: Decimal, share: Decimal) -> Markup:
    number = f"{segment.count:,}"
    room = share * _NARROW_BAR / 100 - _MARGINS
    fitting = next((text for text in (f"{segment.name} {number}", number) if len(text) * _LETTER <= room), "")
    text = Markup('<text class="inside" x="{x}%" y="{y}">{text}</text>').format(
        x=_short(left + share / 2), y=_STACK_HEIGHT // 2 + 5, text=fitting
    )
    bar = Markup('<rect class="{tone} piece" x="{x}%" y="0" width="{width}%" height="{height}"/>').format(
        tone=segment.tone, x=_short(left), width=_short(share), height=_STACK_HEIGHT
    )
    told = _told(f"{segment.name}: {number}")
    return Markup("<g>{told}{bar}{text}</g>").format(told=told, bar=bar, text=text if fitting else "")


def _told(text: str) -> Markup:
    return Markup("<title>{text}</title>").format(text=text) if text else Markup("")


def _svg(inside: Markup, *, name: str, title: str, height: int) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{id}" width="100%" height="{height}">'
        '<title id="{id}">{title}</title>{inside}</svg>'
    ).format(id=f"{name}-chart", height=height, title=title, inside=inside)


def _short(number: Decimal) -> str:
    """Return a place in at most two digits after the point."""
    return f"{number.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"
