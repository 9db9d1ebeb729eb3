"""The audit as a page to hand over: whole in itself, true to the JSON, and usable in a browser."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.chromium import LOW_CONTRAST, launched
from tests.golden_cases import HOME as GOLDEN
from wsgi import create_app

COVERED = [
    f"--covers={report}=2026-01-01..2026-12-31"
    for report in (
        "GET_LEDGER_DETAIL_VIEW_DATA",
        "GET_FBA_REIMBURSEMENTS_DATA",
        "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA",
    )
]
# Two that can be claimed, one upcoming, one lapsed, as of June 30, 2026.
FOUR = GOLDEN / "warehouse_damaged" / "upcoming_lapsed_and_claimable"
LOST = GOLDEN / "warehouse_lost" / "neither_found_nor_paid"


def audited(folder: Path, *options: str) -> str:
    files = [str(path) for path in sorted(folder.glob("*.[tc][xs][tv]"))]
    run = create_app(with_web=False).test_cli_runner()
    return run.invoke(args=["audit", *files, "--as-of=2026-06-30", *COVERED, *options]).stdout


def test_the_page_says_what_the_json_says() -> None:
    page, document = audited(FOUR, "--format=html"), json.loads(audited(FOUR, "--format=json"))
    standings = [row["status"] for row in document["discrepancies"]]
    assert re.findall(r'data-standing="(\w+)"', page) == standings
    claimable = document["summary"]["claimable"]
    assert f"<h1>{claimable['value']['USD']} USD can be claimed from Amazon now</h1>" in page
    for row in document["discrepancies"]:
        assert row["reference"]["id"] in page
        for line in row["evidence"]:
            assert f"{line['file']}, line {line['line']:,}" in page
    for report in document["reports"]:
        assert report["sha256"][:16] in page


def test_the_same_files_give_the_same_page() -> None:
    assert audited(FOUR, "--format=html") == audited(FOUR, "--format=html")


def test_the_page_needs_nothing_but_itself() -> None:
    page = audited(FOUR, "--format=html")
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?://", page)
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    assert script
    digest = b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert (
        f"default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src &#39;sha256-{digest}&#39;" in page
    )


def test_words_of_the_reports_stay_words(tmp_path: Path) -> None:
    for name in ("ledger.txt", "costs.csv"):
        text = (LOST / name).read_text().replace("Steel Garlic Press", "<script>alert(1)</script> & Co")
        (tmp_path / name).write_text(text)
    page = audited(tmp_path, "--format=html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in page
    assert "<script>alert" not in page


def test_nothing_found_is_said(tmp_path: Path) -> None:
    (tmp_path / "costs.csv").write_text((LOST / "costs.csv").read_text())
    page = audited(tmp_path, "--format=html")
    assert "<h1>Nothing found in these reports</h1>" in page
    assert "<svg" not in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_it_filters_opens_and_fits(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    path = tmp_path / "audit.html"
    path.write_text(audited(FOUR, "--format=html"), encoding="utf-8")
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    expect(page.get_by_role("status")).to_have_text("4 of 4 shown")
    page.get_by_label("How it stands").select_option("claimable")
    expect(page.get_by_role("status")).to_have_text("2 of 4 shown")
    page.get_by_label("Product, reference or file").fill("no such thing")
    expect(page.get_by_role("status")).to_have_text("0 of 4 shown")
    page.get_by_label("Product, reference or file").fill("")
    page.get_by_text("of evidence").first.click()
    expect(page.get_by_text("ledger.txt, line").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST) == []
    assert complaints == []
    page.close()
