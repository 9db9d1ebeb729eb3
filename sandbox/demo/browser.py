"""A small HTTP client that keeps cookies, for calls on this machine: no proxy, no other host."""

import http.client
import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

_SECONDS = 20
_MOST_REDIRECTS = 5
_OK = 200


@dataclass(frozen=True, slots=True)
class Page:
    """What came back."""

    status: int
    url: str
    text: str

    def json(self) -> Any:
        """Return it, read as JSON."""
        return json.loads(self.text)


@dataclass(slots=True)
class Browser:
    """Keeps the cookies of one host; `base` is its address."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        """Open a page, following redirects."""
        return self._follow("GET", path, None, {})

    def fetch(self, path: str) -> bytes:
        """Return what is at an address, byte for byte. Raises HTTPException where there is nothing."""
        status, content, _ = self._ask("GET", urljoin(self.base, path), None, {})
        if status != _OK:
            raise http.client.HTTPException(f"{path} answers {status}")
        return content

    def post_form(self, path: str, form: dict[str, str]) -> Page:
        """Send a form, then follow redirects as a browser does."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": urljoin(self.base, path)}
        return self._follow("POST", path, urlencode(form), headers)

    def post_json(self, path: str, body: Any) -> Any:
        """Send JSON and return the JSON that comes back."""
        return self._follow("POST", path, json.dumps(body), {"Content-Type": "application/json"}).json()

    def _follow(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Page:
        url = urljoin(self.base, path)
        for _ in range(_MOST_REDIRECTS):
            status, content, location = self._ask(method, url, body, headers)
            if not location:
                return Page(status, url, content.decode("utf-8", "replace"))
            url, method, body, headers = urljoin(url, location), "GET", None, {}
        raise http.client.HTTPException(f"too many redirects at {url}")

    def _ask(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes, str]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=_SECONDS)
        cookie = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        )
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=headers | cookie)
            response = connection.getresponse()
            content = response.read()
            self._keep(response.headers.get_all("Set-Cookie") or [])
            is_redirect = response.status in {301, 302, 303, 307, 308}
            return response.status, content, response.headers.get("Location", "") if is_redirect else ""
        finally:
            connection.close()

    def _keep(self, cookies: list[str]) -> None:
        for line in cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
