"""Charts as markup: zero-based, named, safe, and in no more than their colours."""

import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts import Column, Part, Segment, columns, compact, stacked

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def bars(markup: str) -> list[tuple[str, float]]:
    return [(rect.get("class"), float(rect.get("height"))) for rect in parsed(markup).iter(f"{SVG}rect")]


def test_heights_are_in_proportion_from_zero_on() -> None:
    drawn = columns(
        [Column("1", [Part(100, "money")]), Column("2", [Part(25, "money")]), Column("3", [Part(0, "money")])],
        name="x",
        title="Most of it first",
    )
    assert bars(drawn) == [("money", 120.0), ("money", 30.0)]


def test_parts_stand_on_each_other_and_on_the_base() -> None:
    drawn = parsed(columns([Column("1", [Part(3, "late"), Part(1, "amber")])], name="x", title="t"))
    lower, upper = drawn.iter(f"{SVG}rect")
    assert float(lower.get("y")) + float(lower.get("height")) == 142
    assert float(upper.get("y")) + float(upper.get("height")) == float(lower.get("y"))


def test_a_small_amount_beside_a_large_one_is_still_seen() -> None:
    drawn = columns([Column("1", [Part(1_000_000, "money")]), Column("2", [Part(1, "money")])], name="x", title="t")
    assert bars(drawn)[1] == ("money", 2.0)


def test_a_chart_is_an_image_with_the_finding_as_its_name() -> None:
    for drawn in (
        columns([Column("1", [Part(1, "money")])], name="here", title="A & B < C"),
        stacked([Segment("a", 1, "done")], name="here", title="A & B < C"),
    ):
        root = parsed(drawn)
        assert root.get("role") == "img"
        title = root.find(f"{SVG}title")
        assert (title.get("id"), title.text) == (root.get("aria-labelledby"), "A & B < C")
        assert not re.search(r"\sstyle=|<script|\son\w+=", drawn)


def test_a_stacked_bar_is_full_and_names_the_parts_that_have_room() -> None:
    drawn = parsed(stacked([Segment("To decide", 97, "accent"), Segment("To file", 3, "second")], name="x", title="t"))
    widths = [float(rect.get("width").rstrip("%")) for rect in drawn.iter(f"{SVG}rect")]
    assert widths == [97.0, 3.0]
    assert [text.text for text in drawn.iter(f"{SVG}text")] == ["To decide 97"]
    assert [title.text for title in drawn.iter(f"{SVG}title")] == ["t", "To decide: 97", "To file: 3"]


def test_without_numbers_nothing_fails() -> None:
    assert bars(columns([], name="x", title="t")) == []
    assert bars(stacked([], name="x", title="t")) == []
    assert bars(stacked([Segment("none", 0, "done")], name="x", title="t")) == []


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0", ""),
        ("0.40", "<1"),
        ("0.50", "1"),
        ("37.02", "37"),
        ("1234.50", "1,235"),
        ("9999.49", "9,999"),
        ("12345", "12.3k"),
        ("999499", "999.5k"),
        ("999950", "1.0M"),
        ("1234567", "1.2M"),
        ("2345678901", "2,345.7M"),
    ],
)
def test_a_number_on_a_bar_is_short(amount: str, told: str) -> None:
    assert compact(Decimal(amount)) == told


@given(st.lists(st.tuples(st.text(max_size=20), st.integers(0, 10**12)), max_size=9))
def test_whatever_the_words_and_numbers_the_markup_is_whole(given_bars: list[tuple[str, int]]) -> None:
    printable = [("".join(c for c in text if c.isprintable()), size) for text, size in given_bars]
    parsed(columns([Column(text, [Part(size, "money")], text, text) for text, size in printable], name="x", title="t"))
    parsed(stacked([Segment(text, size, "done") for text, size in printable], name="x", title="t"))
