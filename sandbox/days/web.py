"""The page's HTTP side: what it shows, and what a person does on it."""

from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request, send_from_directory

from errors import RecoupError
from sandbox.days.desk import Desk, NotTaken
from sandbox.web import add_page

_PAGE = Path(__file__).resolve().parent / "page"


def create_app(desk: Desk) -> Flask:
    """Return the page as a Flask app."""
    app = Flask(__name__, static_folder=None)
    add_page(app, _PAGE)
    _add_api(app, desk)

    @app.get("/")
    def index() -> Response:
        return send_from_directory(_PAGE, "index.html")

    @app.errorhandler(RecoupError)
    def refused(error: RecoupError) -> tuple[Response, int]:
        return jsonify(ok=False, problem=str(error)), 409

    return app


def _add_api(app: Flask, desk: Desk) -> None:
    @app.get("/_healthz")
    def healthz() -> Response:
        return jsonify(ok=True)

    @app.get("/_ui/state")
    def state() -> Response:
        return jsonify(desk.state())

    @app.post("/_ui/move")
    def move() -> Response:
        desk.move(_told("to"))
        return jsonify(ok=True)

    @app.post("/_ui/cases")
    def open_case() -> Response:
        return jsonify(ok=True, case_id=desk.open_case(_told("text")))

    @app.post("/_ui/cases/<case_id>")
    def write_to(case_id: str) -> Response:
        desk.write_to(case_id, _told("text"))
        return jsonify(ok=True)

    @app.post("/_links")
    def links() -> Response:
        told = _json()
        desk.links = {str(name): str(url) for name, url in told.items()}
        return jsonify(ok=True)


def _told(name: str) -> str:
    return str(_json().get(name, ""))


def _json() -> dict[str, Any]:
    """Return the JSON that the page sent; a form of another site cannot send that type."""
    told: Any = request.get_json(silent=True) if request.is_json else None
    if not isinstance(told, dict):
        raise NotTaken("This was not sent by the page.")
    return told
