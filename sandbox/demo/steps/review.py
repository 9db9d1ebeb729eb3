"""From the reports to the first decision: found, posted, approved, rejected, undone, shown in the back office."""

import json
from collections.abc import Callable, Iterator

from sandbox.demo import stage as setting
from sandbox.demo.hands import Json, NotAsItShouldBe
from sandbox.demo.steps.walker import LONG_SECONDS, SHORT_SECONDS, Walker
from sandbox.slack_server import ANN, BEN, VIC
from sandbox.truth import Truth

_CARDS_A_RUN = 20


class Review:
    """Its steps, and what it decided on: `approved` is a discrepancy of the first seller."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker
        self._found: dict[str, list[Json]] = {}
        self.approved = self._rejected = 0

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield every step with its name, in order."""
        yield "find what was planted", self._find_what_was_planted
        yield "post the cards", self._post_the_cards
        yield "approve in Slack", self._approve
        yield "tell the second person who was first", self._approve_again
        yield "reject in Slack with a reason", self._reject
        yield "undo in Slack", self._undo
        yield "turn a stranger away", self._turn_away
        yield "answer /claims status", self._ask_for_status
        yield "sign in to the back office", self._sign_in
        yield "see the claim in the ledger", self._see_the_claim
        yield "see the evidence", self._see_the_evidence

    def _find_what_was_planted(self) -> None:
        for account_id, seller in self._walker.accounts.items():
            rows = self._found[account_id] = self._wait_for_findings(account_id)
            truth = Truth.load(setting.world_folder(self._walker.stage.place, seller) / "truth.json")
            wanted = {p.fingerprint: p.quantity for p in truth.planted}
            found = {row["fingerprint"]: row["quantity"] for row in rows}
            if found != wanted:
                missed, extra = len(wanted.keys() - found.keys()), len(found.keys() - wanted.keys())
                raise NotAsItShouldBe(f"{seller.name}: {missed} missed, {extra} too many of {len(wanted)}")

    def _wait_for_findings(self, account_id: str) -> list[Json]:
        words = ("discrepancies", "list", "--account", account_id)
        return self._walker.wait_for(lambda: self._walker.rows(*words), LONG_SECONDS, "the first findings", pause=2)

    def _post_the_cards(self) -> None:
        """Wait for a card each, as many as a run may post, and for the message that counts the rest."""
        counts = [sum(row["status"] == "open" for row in rows) for rows in self._found.values()]
        wanted = sum(min(count, _CARDS_A_RUN) + (count > _CARDS_A_RUN) for count in counts)
        slack = self._walker.slack
        self._walker.wait(lambda: len(slack.messages()) >= wanted, LONG_SECONDS, f"{wanted} messages in the channel")
        if not wanted or len(slack.messages()) > wanted:
            raise NotAsItShouldBe(f"{len(slack.messages())} messages instead of {wanted}")

    def _approve(self) -> None:
        self.approved, self._rejected = self._with_a_card()[:2]
        self._walker.slack.press(ANN, "discrepancy:approve", row=self.approved)
        self._walker.wait_for_card(self.approved, "Approved by Ann")

    def _with_a_card(self) -> list[int]:
        """Return the first seller's discrepancies that can be approved at a card, in the same order each time."""
        posted = self._walker.slack.rows_of("discrepancy:approve")
        rows = sorted(self._found[self._walker.harbor], key=lambda row: str(row["fingerprint"]))
        return [row["id"] for row in rows if row["id"] in posted and row["value"] and not row["caveats"]]

    def _approve_again(self) -> None:
        """Decide at another door what is decided already."""
        words = ("discrepancies", "approve", str(self.approved), "--as", self._walker.ben.email)
        self._walker.see_refused(*words, saying="Ann")

    def _reject(self) -> None:
        self._walker.slack.press(BEN, "discrepancy:reject", row=self._rejected)
        self._walker.send_form(BEN, choose="too_small", note="Not worth the work, says the demo's check.")
        self._walker.wait_for_card(self._rejected, "Rejected")

    def _undo(self) -> None:
        self._walker.slack.press(BEN, "discrepancy:undo", row=self._rejected)
        self._walker.wait_for_card(self._rejected, "discrepancy:reject")

    def _turn_away(self) -> None:
        """Press as somebody whom Recoup does not know: told why, and nothing changes."""
        slack = self._walker.slack
        slack.press(VIC, "discrepancy:reject", row=self._rejected)
        self._walker.wait(lambda: bool(slack.state(VIC)["ephemerals"]), SHORT_SECONDS, "words for the stranger")
        if self._walker.shown(self._rejected)["status"] != "open":
            raise NotAsItShouldBe("the stranger's press changed something")

    def _ask_for_status(self) -> None:
        slack = self._walker.slack
        answer = slack.say(ANN, "/claims status")
        if not answer["ok"]:
            raise NotAsItShouldBe(answer["problem"])
        self._walker.wait(lambda: "USD" in json.dumps(slack.state(ANN)["ephemerals"]), SHORT_SECONDS, "the answer")

    def _sign_in(self) -> None:
        self._walker.office.sign_in()

    def _see_the_claim(self) -> None:
        row, claim = self._walker.shown(self.approved), self._walker.claim_of(self.approved)
        path = f"/admin/claims/{claim['id']}/"
        office = self._walker.office
        if path not in office.page("/admin/claims/") or row["reference_id"] not in office.page(path):
            raise NotAsItShouldBe(f"claim {claim['id']} is not in the ledger")

    def _see_the_evidence(self) -> None:
        row = self._walker.shown(self.approved)
        page = self._walker.office.page(f"/admin/discrepancies/{self.approved}/")
        if row["evidence"][0]["file"] not in page or row["fnsku"] not in page:
            raise NotAsItShouldBe(f"{row['evidence'][0]['file']} is not on the page")
