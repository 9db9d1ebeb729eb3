"""A question to the client: asked in the back office, it holds the claim until it is answered in the portal."""

import re
from collections.abc import Callable, Iterator

from sandbox.demo.hands import NotAsItShouldBe
from sandbox.demo.office import Office
from sandbox.demo.steps.filing import Filing
from sandbox.demo.steps.walker import Walker

_QUESTION = "Please send us the supplier's invoice for these units."
_ANSWER = "It is invoice 2026-117 of our supplier; the units are on its second page."


class Asking:
    """Its steps."""

    def __init__(self, walker: Walker, filing: Filing) -> None:
        self._walker, self._filing = walker, filing
        self.portal = Office(walker.stage.backoffice, walker.client)

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield every step with its name, in order."""
        yield "ask the client, which holds the claim", self._ask
        yield "mail the question to the client", self._see_mail
        yield "answer it in the portal", self._answer
        yield "show a client nobody else's claims", self._see_nobody_else

    def _ask(self) -> None:
        claim_id = self._filing.to_file[0]
        form = {"kind": "send_invoice", "question": _QUESTION}
        self._walker.office.send(f"/admin/requests/ask/{claim_id}", form)
        options = ("--case-id", "15000000000", "--as", self._walker.ann.email)
        self._walker.see_refused("claims", "submit", str(claim_id), *options, saying="waits for the client")

    def _see_mail(self) -> None:
        self._walker.wait_for_mail(lambda mail: _QUESTION in mail["text"], "the question")

    def _answer(self) -> None:
        self.portal.sign_in()
        listed = self.portal.page("/portal/requests/")
        paths = re.findall(r'href="(/portal/requests/\d+/?)"', listed)
        if len(set(paths)) != 1:
            raise NotAsItShouldBe(f"{len(set(paths))} requests in the portal")
        if _QUESTION not in self.portal.page(paths[0]):
            raise NotAsItShouldBe("the question is not on its page")
        self.portal.send(paths[0], {"text": _ANSWER})
        if _ANSWER not in self.portal.page(paths[0]):
            raise NotAsItShouldBe("the answer is not on its page")

    def _see_nobody_else(self) -> None:
        for claim_id in self._filing.sharing:
            try:
                self.portal.page(f"/portal/claims/{claim_id}/")
            except NotAsItShouldBe as told:
                if "404" not in str(told):
                    raise
            else:
                raise NotAsItShouldBe(f"{self._walker.client.name} sees claim {claim_id} of another client")
