"""What the pages of all stand-ins have in common: their files, and the headers that keep them to themselves."""

from pathlib import Path

from flask import Flask, Response, send_from_directory

_SHARED = Path(__file__).resolve().parent / "page"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_page(app: Flask, own: Path) -> None:
    """Serve a page's own files at /page/ and those that all pages share at /shared/.

    A response that has a content security policy already keeps it.
    """

    @app.get("/page/<path:name>")
    def own_file(name: str) -> Response:
        return send_from_directory(own, name)

    @app.get("/shared/<path:name>")
    def shared_file(name: str) -> Response:
        return send_from_directory(_SHARED, name)

    @app.get("/favicon.ico")
    def favicon() -> tuple[str, int]:
        return "", 204

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response
