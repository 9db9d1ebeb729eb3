"""The whole way once, without a person, through the doors a person uses. Each step raises where it finds otherwise."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.demo import stage as setting
from sandbox.demo.children import DemoFailed
from sandbox.demo.hands import Json, NotAsItShouldBe, SlackHands
from sandbox.demo.office import Office
from sandbox.demo.place import DemoUser, Seller
from sandbox.demo.stage import Stage
from sandbox.slack_server import ANN, BEN, VIC
from sandbox.truth import Truth

_CARDS_A_RUN = 20
_LONG_SECONDS, _SHORT_SECONDS = 120, 20


class Way:
    """The steps, and what they know of one another: which discrepancies were decided on."""

    def __init__(self, stage: Stage, users: list[DemoUser], accounts: dict[str, Seller]) -> None:
        self._stage, self._users, self._accounts = stage, users, accounts
        self._office, self._slack = Office(stage.backoffice, users[0]), SlackHands(stage.slack)
        self._found: dict[str, list[Json]] = {}
        self._approved = self._rejected = 0

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
        for account_id, seller in self._accounts.items():
            rows = self._found[account_id] = self._wait_for_findings(account_id)
            truth = Truth.load(setting.world_folder(self._stage.place, seller) / "truth.json")
            wanted = {p.fingerprint: p.quantity for p in truth.planted}
            found = {row["fingerprint"]: row["quantity"] for row in rows}
            if found != wanted:
                missed, extra = len(wanted.keys() - found.keys()), len(found.keys() - wanted.keys())
                raise NotAsItShouldBe(f"{seller.name}: {missed} missed, {extra} too many of {len(wanted)}")

    def _wait_for_findings(self, account_id: str) -> list[Json]:
        rows: list[Json] = []

        def are_there() -> bool:
            rows.extend(self._rows("discrepancies", "list", "--account", account_id))
            return bool(rows)

        self._wait(are_there, _LONG_SECONDS, "the first findings", pause=2)
        return rows

    def _post_the_cards(self) -> None:
        """Wait for a card each, as many as a run may post, and for the message that counts the rest."""
        counts = [sum(row["status"] == "open" for row in rows) for rows in self._found.values()]
        wanted = sum(min(count, _CARDS_A_RUN) + (count > _CARDS_A_RUN) for count in counts)
        self._wait(lambda: len(self._slack.messages()) >= wanted, _LONG_SECONDS, f"{wanted} messages in the channel")
        if not wanted or len(self._slack.messages()) > wanted:
            raise NotAsItShouldBe(f"{len(self._slack.messages())} messages instead of {wanted}")

    def _approve(self) -> None:
        button = self._slack.button("discrepancy:approve")
        self._approved = button.row
        self._press(ANN, "discrepancy:approve", self._approved)
        self._wait_for_card(self._approved, "Approved by Ann")

    def _approve_again(self) -> None:
        """Decide at another door what is decided already."""
        ben = self._users[2]
        words = ("discrepancies", "approve", str(self._approved), "--as", ben.email)
        try:
            self._stage.doors.ask(*words)
        except DemoFailed as told:
            if "Ann" not in str(told):
                raise NotAsItShouldBe(f"refused without saying who was first: {told}") from told
        else:
            raise NotAsItShouldBe("the second approval was taken")

    def _reject(self) -> None:
        self._rejected = self._slack.button("discrepancy:reject", but=self._approved).row
        self._press(BEN, "discrepancy:reject", self._rejected)
        self._wait(lambda: self._slack.state(BEN)["view"] is not None, _SHORT_SECONDS, "the form")
        answer = self._slack.send_form(BEN, choose="too_small", note="Not worth the work, says the demo's check.")
        if not answer["ok"] or answer["errors"]:
            raise NotAsItShouldBe(f"the form was refused: {answer}")
        self._wait_for_card(self._rejected, "Rejected")

    def _undo(self) -> None:
        self._press(BEN, "discrepancy:undo", self._rejected)
        self._wait_for_card(self._rejected, "discrepancy:reject")

    def _turn_away(self) -> None:
        """Press as somebody whom Recoup does not know: told why, and nothing changes."""
        self._slack.press(VIC, self._slack.button("discrepancy:reject", row=self._rejected))
        self._wait(lambda: bool(self._slack.state(VIC)["ephemerals"]), _SHORT_SECONDS, "words for the stranger")
        if self._shown(self._rejected)["status"] != "open":
            raise NotAsItShouldBe("the stranger's press changed something")

    def _ask_for_status(self) -> None:
        answer = self._slack.say(ANN, "/claims status")
        if not answer["ok"]:
            raise NotAsItShouldBe(answer["problem"])
        self._wait(lambda: "USD" in json.dumps(self._slack.state(ANN)["ephemerals"]), _SHORT_SECONDS, "the answer")

    def _sign_in(self) -> None:
        self._office.sign_in()

    def _see_the_claim(self) -> None:
        row = self._shown(self._approved)
        claims = [c for c in self._rows("claims", "list") if self._approved in c["discrepancy_ids"]]
        if len(claims) != 1:
            raise NotAsItShouldBe(f"{len(claims)} claims of discrepancy {self._approved}")
        path = f"/admin/claims/{claims[0]['id']}/"
        if path not in self._office.page("/admin/claims/") or row["reference_id"] not in self._office.page(path):
            raise NotAsItShouldBe(f"claim {claims[0]['id']} is not in the ledger")

    def _see_the_evidence(self) -> None:
        row = self._shown(self._approved)
        page = self._office.page(f"/admin/discrepancies/{self._approved}/")
        if row["evidence"][0]["file"] not in page or row["fnsku"] not in page:
            raise NotAsItShouldBe(f"{row['evidence'][0]['file']} is not on the page")

    def _press(self, user: str, action_id: str, row: int) -> None:
        answer = self._slack.press(user, self._slack.button(action_id, row=row))
        if not answer["ok"]:
            raise NotAsItShouldBe(f"the press was not taken: {answer.get('why') or answer.get('error')}")

    def _wait_for_card(self, row: int, text: str) -> None:
        self._wait(lambda: text in self._slack.card(row), _SHORT_SECONDS, f"“{text}” on the card of {row}")

    def _wait(self, condition: Callable[[], bool], seconds: float, what: str, *, pause: float = 0.3) -> None:
        if not setting.wait_for(self._stage.children, condition, seconds=seconds, pause=pause):
            raise NotAsItShouldBe(f"waited {seconds:.0f} seconds for {what}")

    def _rows(self, *words: str) -> Any:
        return self._stage.doors.rows(*words)

    def _shown(self, row: int) -> dict[str, Any]:
        shown: Json = self._rows("discrepancies", "show", str(row))
        return shown
