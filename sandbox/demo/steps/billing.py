"""From the money to the invoice, the mail and the digest; and the books, added up apart from Recoup."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from sandbox.amazon.cases import cents
from sandbox.amazon.downloads import lines_of, reimbursement_id
from sandbox.demo import stage as setting
from sandbox.demo.hands import Json, NotAsItShouldBe
from sandbox.demo.steps.asking import Asking
from sandbox.demo.steps.filing import Filing
from sandbox.demo.steps.paying import Paying
from sandbox.demo.steps.walker import SHORT_SECONDS, Walker, same
from sandbox.formats.tables import money
from sandbox.slack_server import HARBOR_CHANNEL, REVIEW_CHANNEL
from sandbox.truth import Truth

# Where each discrepancy stands; what is claimed is counted by its claims.
_STATES = ("upcoming", "open", "snoozed", "rejected", "settled", "withdrawn", "lapsed")


class Billing:
    """Its steps: what Monday brought, and at the end the books."""

    def __init__(self, walker: Walker, filing: Filing, asking: Asking, paying: Paying) -> None:
        self._walker, self._filing, self._asking, self._paying = walker, filing, asking, paying
        self._invoices: list[Json] = []

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps of the Monday, in order."""
        yield "number the week's invoices", self._see_invoices
        yield "mail them as PDF", self._see_mails
        yield "post the digests in Slack", self._see_digests
        yield "show the invoice in the portal", self._see_in_portal
        yield "bill again, which adds nothing", self._bill_again
        yield "bill the fee of what Amazon paid and nothing else", self._see_fees

    def books(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the last step."""
        yield "balance the books", self._balance

    def _see_invoices(self) -> None:
        self._invoices = sorted(self._walker.rows("invoices", "list"), key=lambda row: row["id"])
        numbers = [f"{setting.AGENCY['invoice_prefix']}{n:05d}" for n in range(1, len(self._invoices) + 1)]
        same("numbers", sorted(str(row["number"]) for row in self._invoices), numbers)
        sunday = (self._paying.monday - timedelta(days=1)).isoformat()
        if self._walker.client.client not in {row["client"] for row in self._invoices if row["week_to"] == sunday}:
            raise NotAsItShouldBe(f"{self._walker.client.client} has no invoice of the week to {sunday}")

    def _see_mails(self) -> None:
        for invoice in self._invoices:
            self._see_mail(invoice["number"])

    def _see_mail(self, number: str) -> None:
        mail = self._walker.wait_for_mail(lambda mail: bool(_pdf_of(mail, number)), number)
        content = self._walker.mailbox.fetch(_pdf_of(mail, number))
        if not content.startswith(b"%PDF") or number.encode() not in content:
            raise NotAsItShouldBe(f"the file with {number} is no PDF that names it")

    def _see_digests(self) -> None:
        for channel, name in ((HARBOR_CHANNEL, self._walker.client.client), (REVIEW_CHANNEL, "All clients")):
            self._walker.wait(partial(self._has_digest, channel, name), SHORT_SECONDS, f"the digest of {name}")

    def _has_digest(self, channel: str, name: str) -> bool:
        """Whether there is a message with that headline and the week, which nothing else says together."""
        sunday = self._paying.monday - timedelta(days=1)
        messages = map(str, self._walker.slack.messages(channel))
        return any(f"{name} · " in text and f"{sunday.day} {sunday:%b %Y}" in text for text in messages)

    def _see_in_portal(self) -> None:
        mine = [row for row in self._invoices if row["client"] == self._walker.client.client]
        page = self._asking.portal.page("/portal/invoices/")
        for invoice in mine:
            if invoice["number"] not in page:
                raise NotAsItShouldBe(f"{invoice['number']} is not in the portal")
        if any(row["number"] in page for row in self._invoices if row not in mine):
            raise NotAsItShouldBe("the portal shows another client's invoice")

    def _bill_again(self) -> None:
        self._walker.ask("bill")
        again = sorted(self._walker.rows("invoices", "list"), key=lambda row: row["id"])
        same("invoices", again, self._invoices)

    def _see_fees(self) -> None:
        """Add up the fees of Amazon's own lines up to the Sunday, and compare them with the invoices."""
        billed: Counter[str] = Counter()
        for invoice in self._invoices:
            billed[invoice["client"]] += cents(invoice["fee"]) or 0
        wanted = {
            seller.name: sum(self._fees(account_id, Decimal(seller.rate)))
            for account_id, seller in self._walker.accounts.items()
        }
        same("fees", {name: money(billed[name]) for name in wanted}, {name: money(fee) for name, fee in wanted.items()})

    def _fees(self, account_id: str, rate: Decimal) -> Iterator[int]:
        """Yield the fee of each line that pays our claims or takes back from them, in cents."""
        shop = next(shop for shop in self._walker.shops if shop.account_id == int(account_id))
        ours = {reimbursement_id(line.key) for line in lines_of(shop, self._walker.memory()) if line.shares}
        day = self._paying.monday.isoformat()
        with (shop.folder / "downloads" / day / f"reimbursements-{day}.txt").open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                is_in_time = date.fromisoformat(row["approval-date"][:10]) < self._paying.monday
                if row["reimbursement-id"] in ours and is_in_time:
                    fee = Decimal(row["amount-total"]) * rate
                    yield int(fee.quantize(Decimal("0.01"), ROUND_HALF_UP) * 100)

    def _balance(self) -> None:
        """Compare what was planted with what stands somewhere: every unit and every cent in one place.

        What has no value in the seller's own file is left out of the cents: payments since may tell one.
        """
        planted = {mistake.fingerprint: mistake for truth in self._truths() for mistake in truth.planted}
        rows = {row["id"]: row for row in self._walker.rows("discrepancies", "list")}
        claims = [row for row in self._walker.claims().values() if row["closed_reason"] != "undone"]
        left = [row for row in rows.values() if row["status"] in _STATES]
        standing = [(row["fingerprint"], row) for row in left]
        standing += [(rows[claim["discrepancy_ids"][0]]["fingerprint"], claim) for claim in claims]
        same("discrepancies that stand in one place", sorted(name for name, _ in standing), sorted(planted))
        known = {name for name, mistake in planted.items() if mistake.value is not None}
        found = (
            sum(row["quantity"] for _, row in standing),
            sum(cents(row["value"]) or 0 for name, row in standing if name in known),
        )
        wanted = sum(each.quantity for each in planted.values()), sum(each.value or 0 for each in planted.values())
        same("units and cents in the books", found, wanted)

    def _truths(self) -> Iterator[Truth]:
        for seller in self._walker.accounts.values():
            yield Truth.load(setting.world_folder(self._walker.stage.place, seller) / "truth.json")


def _pdf_of(mail: Json, number: str) -> str:
    """Return where the mail's PDF of an invoice is, empty where it has none."""
    return next((str(file["url"]) for file in mail["files"] if number in file["name"]), "")
