"""From the approval to the filed case: more claims, filed with Seller Support under a case each, or two under one."""

from collections.abc import Callable, Iterator, Sequence

from sandbox.amazon.answers import STORIES, story_of
from sandbox.demo.hands import Json, NotAsItShouldBe
from sandbox.demo.steps.review import Review
from sandbox.demo.steps.walker import Walker, same
from sandbox.slack_server import ANN

_SHARE_A_CASE = 2


class Filing:
    """Its steps. to_file: claims that are approved; sharing: those of them that go into one case. `cases`, by claim."""

    def __init__(self, walker: Walker, review: Review) -> None:
        self._walker, self._review = walker, review
        self.to_file: list[int] = []
        self.sharing: list[int] = []
        self.rejected = 0
        self.cases: dict[int, str] = {}

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the steps after the approvals, in order."""
        yield "file a claim in Slack", self._file_in_slack
        yield "file the others on the command line", self._file_the_others
        yield "file two claims under one case", self._file_together

    def decisions(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the step before them."""
        yield "approve more on the command line, and reject one", self._decide

    def with_story(self, story: str) -> int:
        """Return the first claim whose case Amazon answers so. Raises NotAsItShouldBe."""
        for claim_id, case_id in self.cases.items():
            if story_of(case_id) == story:
                return claim_id
        raise NotAsItShouldBe(f"no claim was filed whose story is {story}")

    def _decide(self) -> None:
        """Approve a claim for each story that is left, of stock and of several units, and two of the other seller."""
        mine = self._left(self._walker.harbor, least_units=2)
        more, self.rejected = mine[: len(STORIES) - 1], mine[len(STORIES) - 1]
        theirs = self._left(self._walker.pine)[:_SHARE_A_CASE]
        ids = [str(row_id) for row_id in (*more, *theirs)]
        self._walker.ask("discrepancies", "approve", *ids, "--as", self._walker.ann.email)
        why = ("--reason", "too_small", "--as", self._walker.ben.email)
        self._walker.ask("discrepancies", "reject", str(self.rejected), *why)
        self.to_file = [self._walker.claim_of(row_id)["id"] for row_id in more]
        self.sharing = [self._walker.claim_of(row_id)["id"] for row_id in theirs]

    def _left(self, account_id: str, *, least_units: int = 1) -> list[int]:
        """Return what can be approved at once of the losses in the warehouse, in the same order each time."""
        rows = self._walker.rows("discrepancies", "list", "--account", account_id, "--status", "open")
        fitting = [row for row in rows if _is_plain_loss(row) and row["quantity"] >= least_units]
        return [row["id"] for row in sorted(fitting, key=lambda row: str(row["fingerprint"]))]

    def _file_in_slack(self) -> None:
        claim_id = self._walker.claim_of(self._review.approved)["id"]
        case_id = self._open_case([claim_id])
        self._walker.slack.press(ANN, "claim:filed", row=self._review.approved)
        self._walker.send_form(ANN, note=case_id)
        self._walker.wait_for_card(self._review.approved, case_id)
        self._is_filed([claim_id], case_id)

    def _file_the_others(self) -> None:
        for claim_id in self.to_file:
            self._file([claim_id])
        same("stories begun", sorted({story_of(case) for case in self.cases.values()}), sorted(STORIES))

    def _file_together(self) -> None:
        self._file(self.sharing)

    def _file(self, claim_ids: Sequence[int]) -> None:
        case_id = self._open_case(claim_ids)
        for claim_id in claim_ids:
            self._walker.ask("claims", "submit", str(claim_id), "--case-id", case_id, "--as", self._walker.ann.email)
        self._is_filed(claim_ids, case_id)

    def _open_case(self, claim_ids: Sequence[int]) -> str:
        """Paste what Recoup wrote into Seller Support and return the number of the case."""
        text = "\n".join(self._walker.ask("claims", "packet", str(claim_id)) for claim_id in claim_ids)
        case_id: str = self._walker.days.post_json("/_ui/cases", {"text": text})["case_id"]
        return case_id

    def _is_filed(self, claim_ids: Sequence[int], case_id: str) -> None:
        claims = self._walker.claims()
        for claim_id in claim_ids:
            found = claims[claim_id]["status"], claims[claim_id]["case_id"]
            same(f"claim {claim_id}", found, ("submitted", case_id))
            self.cases[claim_id] = case_id


def _is_plain_loss(row: Json) -> bool:
    return row["claim_type"].startswith("warehouse_") and bool(row["value"]) and not row["caveats"]
