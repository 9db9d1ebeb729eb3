"""From the case to the money: days pass, Amazon answers, payments are matched, and what is not ours stays apart."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from sandbox.amazon import downloads
from sandbox.amazon.answers import story_of
from sandbox.amazon.cases import FOUND
from sandbox.amazon.downloads import lines_of
from sandbox.demo.hands import Json, NotAsItShouldBe
from sandbox.demo.steps.filing import Filing
from sandbox.demo.steps.walker import Walker, same
from sandbox.formats.tables import money
from sandbox.world import products_of

# By then Amazon has replied to every case; a Monday that comes before has little to bill.
_REPLIED_AFTER = timedelta(days=4)
_A_DAY_SECONDS = 60
# What becomes of a claim when all is told.
_ENDS = {
    "paid": "recovered",
    "refused": "denied",
    "paid_in_parts": "recovered",
    "paid_in_stock": "recovered",
    "asks": "recovered",
    "taken_back": "reversed",
    "unnamed": "recovered",
}


class Paying:
    """Its steps; `monday` is the day on which the last week was billed."""

    def __init__(self, walker: Walker, filing: Filing) -> None:
        self._walker, self._filing = walker, filing
        self._began_on: date | None = None
        self.monday = date.min

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps up to the Monday, in order."""
        yield "refuse a calendar that goes back", self._refuse_to_go_back
        yield "let the next day come", self._next_day
        yield "settle what Amazon found and what it paid by itself", self._see_settled
        yield "let Amazon reply", self._until_replied
        yield "record that Amazon refused", self._record_refusal
        yield "answer what Amazon asked", self._answer_question
        yield "match a waiting payment by hand", self._match_by_hand
        yield "go on to Monday", self._until_monday

    def later_steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps after the Monday."""
        yield "let the rest of the answers come", self._until_all_is_told
        yield "see every claim where Amazon's answer leaves it", self._see_states
        yield "count every payment once, to the cent", self._see_money

    def _refuse_to_go_back(self) -> None:
        self._began_on = self._today()
        answer = self._walker.days.post_json("/_ui/move", {"to": (self._began_on - timedelta(days=1)).isoformat()})
        if answer["ok"] or "forward" not in answer["problem"]:
            raise NotAsItShouldBe(f"it was answered {answer}")

    def _next_day(self) -> None:
        before = self._today()
        self._move("next")
        same("the day", self._today(), before + timedelta(days=1))

    def _see_settled(self) -> None:
        rows = {row["fingerprint"]: row for row in self._walker.rows("discrepancies", "list")}
        own = self._walker.memory().own
        same("losses that Amazon made good by itself", len(own), 2 * len(self._walker.accounts))
        for made_good in own:
            row = rows[made_good.fingerprint]
            wanted = "found" if made_good.kind == FOUND else "paid_by_amazon"
            same(f"discrepancy {row['id']}", (row["status"], row["status_reason"]), ("settled", wanted))
            if any(row["id"] in claim["discrepancy_ids"] for claim in self._walker.claims().values()):
                raise NotAsItShouldBe(f"discrepancy {row['id']} has a claim")

    def _until_replied(self) -> None:
        self._move((self._day_of_filing + _REPLIED_AFTER).isoformat())

    def _record_refusal(self) -> None:
        claim_id = self._filing.with_story("refused")
        self._record(claim_id, "denied", reply=self._reply(claim_id))

    def _answer_question(self) -> None:
        claim_id = self._filing.with_story("asks")
        self._record(claim_id, "needs_info", reply=self._reply(claim_id))
        case = f"/_ui/cases/{self._filing.cases[claim_id]}"
        self._walker.days.post_json(case, {"text": "The invoice of our supplier is attached."})
        self._record(claim_id, "submitted")

    def _match_by_hand(self) -> None:
        claim_id = self._filing.with_story("unnamed")
        [line] = [row for row in self._walker.rows("claims", "waiting") if claim_id in row["claims"]]
        options = ("--reimbursement", line["reimbursement"], "--as", self._walker.ann.email)
        self._walker.ask("claims", "match", str(claim_id), *options)
        claim = self._walker.claims()[claim_id]
        same(f"claim {claim_id}", (claim["status"], claim["recovered"]), ("recovered", line["amount"]))

    def _until_monday(self) -> None:
        while self._today() <= self._day_of_filing + _REPLIED_AFTER or self._today().weekday():
            self._move("monday")
        self.monday = self._today()

    def _until_all_is_told(self) -> None:
        memory = self._walker.memory()
        last = max(line.shown_on for shop in self._walker.shops for line in lines_of(shop, memory))
        if last > self._today():
            self._move(last.isoformat())

    def _see_states(self) -> None:
        claims = self._walker.claims()
        found = {claim_id: claims[claim_id]["status"] for claim_id in self._filing.cases}
        same("claims", found, {claim: _ENDS[story_of(case)] for claim, case in self._filing.cases.items()})

    def _see_money(self) -> None:
        """Compare what each claim got with what the stand-in for Amazon paid for it."""
        wanted = dict.fromkeys(self._filing.cases, 0)
        memory = self._walker.memory()
        for shop in self._walker.shops:
            products = {product.msku: product for product in products_of(shop.seed, shop.scale)}
            for line in lines_of(shop, memory):
                for share in line.shares:
                    wanted[share.claim_id] += share.cash * downloads.unit_amount(line, products[line.msku])
        claims = self._walker.claims()
        found = {claim_id: claims[claim_id]["recovered"] for claim_id in wanted}
        same("recovered", found, {claim_id: money(amount) for claim_id, amount in wanted.items()})

    @property
    def _day_of_filing(self) -> date:
        if self._began_on is None:
            raise NotAsItShouldBe("the calendar was not looked at")
        return self._began_on

    def _state(self) -> Json:
        state: Json = self._walker.days.get("/_ui/state").json()
        return state

    def _today(self) -> date:
        return date.fromisoformat(self._state()["now"][:10])

    def _move(self, to: str) -> None:
        """Press the calendar's button and wait until the days have passed."""
        answer = self._walker.days.post_json("/_ui/move", {"to": to})
        if not answer["ok"]:
            raise NotAsItShouldBe(answer["problem"])
        seconds = _A_DAY_SECONDS * self._state()["of"] or _A_DAY_SECONDS
        self._walker.wait(lambda: not self._state()["is_walking"], seconds, "the days to pass")
        if problem := self._state()["problem"]:
            raise NotAsItShouldBe(problem)

    def _reply(self, claim_id: int) -> str:
        """Return what Amazon wrote last to the case of a claim."""
        [case] = [case for case in self._state()["cases"] if case["case_id"] == self._filing.cases[claim_id]]
        if not case["waits"]:
            raise NotAsItShouldBe(f"case {case['case_id']} does not wait for an answer: {case['replies']}")
        text: str = case["replies"][-1]["text"]
        return text

    def _record(self, claim_id: int, status: str, *, reply: str = "") -> None:
        options = ("--reply", "-") if reply else ()
        words = ("--status", status, *options, "--as", self._walker.ann.email)
        self._walker.ask("claims", "outcome", str(claim_id), *words, given=reply)
        same(f"claim {claim_id}", self._walker.claims()[claim_id]["status"], status)
