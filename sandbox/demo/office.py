"""What a person sees and does in the back office or the portal, done over HTTP."""

import html
import re

from sandbox.demo.browser import Browser, Page
from sandbox.demo.hands import NotAsItShouldBe
from sandbox.demo.place import DemoUser

_OK = 200


class Office:
    """A browser in which one person is signed in."""

    def __init__(self, url: str, user: DemoUser) -> None:
        self._browser, self._user = Browser(url), user

    def sign_in(self) -> Page:
        """Sign in and return the page that this leads to. Raises NotAsItShouldBe where it is not their own."""
        form = {"email": self._user.email, "password": self._user.password}
        page = self._browser.post_form("/sign-in", _hidden_fields(self._browser.get("/sign-in")) | form)
        if page.status != _OK or ("/portal/" if self._user.client else "/admin/") not in page.url:
            raise NotAsItShouldBe(f"{page.status} at {page.url}")
        return page

    def page(self, path: str) -> str:
        """Return a page's text. Raises NotAsItShouldBe where it cannot be opened."""
        page = self._browser.get(path)
        if page.status != _OK:
            raise NotAsItShouldBe(f"{path} answers {page.status}")
        return html.unescape(page.text)

    def send(self, path: str, form: dict[str, str], *, to: str = "") -> str:
        """Fill in the form of a page, send it to that page or to `to`, and return what comes back."""
        page = self._browser.post_form(to or path, _hidden_fields(self._browser.get(path)) | form)
        if page.status != _OK:
            raise NotAsItShouldBe(f"{to or path} answers {page.status}: {_headline(page.text)}")
        return html.unescape(page.text)


def _hidden_fields(page: Page) -> dict[str, str]:
    """Return the hidden fields of a page's forms, among them the token against forged ones."""
    fields = [field for field in re.findall(r"<input[^>]*>", page.text) if "hidden" in field]
    pairs = [(re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)) for field in fields]
    return {name[1]: html.unescape(value[1]) for name, value in pairs if name and value}


def _headline(text: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split()) if found else "no headline"
