"""Who walks the way: the doors that a person uses, and waiting at them."""

from collections.abc import Callable
from typing import Any

from sandbox.amazon.cases import Memory
from sandbox.amazon.downloads import Shop
from sandbox.demo import stage as setting
from sandbox.demo.browser import Browser
from sandbox.demo.doors import Refused
from sandbox.demo.hands import Json, NotAsItShouldBe, SlackHands
from sandbox.demo.office import Office
from sandbox.demo.place import DemoUser, Seller
from sandbox.demo.stage import Stage

LONG_SECONDS, SHORT_SECONDS = 180, 60


class Walker:
    """Has every door of the demo at hand. `accounts` has the sellers by the id of their account."""

    def __init__(self, stage: Stage, users: list[DemoUser], accounts: dict[str, Seller]) -> None:
        self.stage, self.users, self.accounts = stage, users, accounts
        self.office, self.slack = Office(stage.backoffice, users[0]), SlackHands(stage.slack)
        self.days, self.mailbox = Browser(stage.days), Browser(stage.mailbox)
        self.ann, self.ben = users[1], users[2]
        self.client = next(user for user in users if user.client)

    @property
    def harbor(self) -> str:
        """The id of the first seller's account."""
        return next(account for account, seller in self.accounts.items() if seller.name == self.client.client)

    @property
    def pine(self) -> str:
        """The id of the other seller's account."""
        return next(account for account in self.accounts if account != self.harbor)

    @property
    def shops(self) -> list[Shop]:
        """The sellers as the stand-in for Amazon knows them."""
        return setting.shops(self.stage.place, self.accounts)

    def memory(self) -> Memory:
        """Return what the stand-in for Amazon remembers now."""
        return Memory.load(self.stage.place.amazon)

    def rows(self, *words: str) -> Any:
        """Return what a command tells as JSON."""
        return self.stage.doors.rows(*words)

    def ask(self, *words: str, given: str = "") -> str:
        """Run a command and return what it wrote. Raises Refused."""
        return self.stage.doors.ask(*words, given=given)

    def see_refused(self, *words: str, saying: str) -> None:
        """Run a command that has to be refused, and with that in its words. Raises NotAsItShouldBe."""
        try:
            self.ask(*words)
        except Refused as told:
            if saying not in str(told):
                raise NotAsItShouldBe(f"refused without saying “{saying}”: {told}") from told
        else:
            raise NotAsItShouldBe(f"flask {' '.join(words)} was not refused")

    def shown(self, discrepancy_id: int) -> Json:
        """Return a discrepancy with all that hangs on it."""
        shown: Json = self.rows("discrepancies", "show", str(discrepancy_id))
        return shown

    def claims(self) -> dict[int, Json]:
        """Return the claims by id."""
        return {row["id"]: row for row in self.rows("claims", "list")}

    def claim_of(self, discrepancy_id: int) -> Json:
        """Return the one claim of a discrepancy. Raises NotAsItShouldBe where there are none or several."""
        found = [claim for claim in self.claims().values() if discrepancy_id in claim["discrepancy_ids"]]
        if len(found) != 1:
            raise NotAsItShouldBe(f"{len(found)} claims of discrepancy {discrepancy_id}")
        return found[0]

    def send_form(self, user: str, *, choose: str = "", note: str = "") -> None:
        """Wait for the form that a press opens, fill it in and send it."""
        self.wait(lambda: self.slack.state(user)["view"] is not None, SHORT_SECONDS, "the form")
        answer = self.slack.send_form(user, choose=choose, note=note)
        if not answer["ok"] or answer["errors"]:
            raise NotAsItShouldBe(f"the form was refused: {answer}")

    def wait_for_card(self, row: int, text: str) -> None:
        """Wait until the card of a discrepancy says something."""
        self.wait(lambda: text in self.slack.card(row), SHORT_SECONDS, f"“{text}” on the card of {row}")

    def wait_for_mail(self, is_it: Callable[[Json], bool], what: str) -> Json:
        """Wait until the mailbox has a mail and return it."""
        return self.wait_for(
            lambda: [mail for mail in self.mailbox.get("/_mails").json() if is_it(mail)],
            SHORT_SECONDS,
            f"a mail with {what}",
        )[0]

    def wait_for(self, look: Callable[[], list[Json]], seconds: float, what: str, *, pause: float = 0.3) -> list[Json]:
        """Wait until `look` finds something and return that. See `wait`."""
        found: list[Json] = []

        def is_there() -> bool:
            found[:] = look()
            return bool(found)

        self.wait(is_there, seconds, what, pause=pause)
        return found

    def wait(self, condition: Callable[[], bool], seconds: float, what: str, *, pause: float = 0.3) -> None:
        """Wait until something holds. Raises NotAsItShouldBe where it does not within so many seconds."""
        if not setting.wait_for(self.stage.children, condition, seconds=seconds, pause=pause):
            raise NotAsItShouldBe(f"waited {seconds:.0f} seconds for {what}")


def same(what: str, found: object, wanted: object) -> None:
    """Raise NotAsItShouldBe where something else was found than should have been."""
    if found != wanted:
        raise NotAsItShouldBe(f"{what}: {found} instead of {wanted}")
