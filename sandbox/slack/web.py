"""The stand-in's HTTP side: Slack's Web API for the app, a page and its small API for people, switches for tests."""

import secrets
import socket
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request, send_from_directory

from sandbox.slack.delivery import Answer
from sandbox.slack.faults import Fault, Faults
from sandbox.slack.methods import METHODS
from sandbox.slack.presses import TROUBLE, Pressed, Presses
from sandbox.slack.workspace import BOT_USER, Json, SlackError, Workspace
from sandbox.web import add_page

_PAGE = Path(__file__).resolve().parent / "page"


def create_app(workspace: Workspace, presses: Presses, faults: Faults, *, bot_token: str) -> Flask:
    """Return the stand-in as a Flask app. `bot_token` is the only one its Web API takes."""
    app = Flask(__name__, static_folder=None)
    _add_web_api(app, workspace, faults, bot_token)
    add_page(app, _PAGE)

    @app.get("/")
    def index() -> Response:
        return send_from_directory(_PAGE, "index.html")

    _add_people_api(app, workspace, presses)
    _add_switches(app, workspace, presses, faults)

    @app.post("/_respond/<token>")
    def respond(token: str) -> tuple[str, int]:
        try:
            with workspace.lock:
                presses.respond(token, request.get_json(force=True))
        except SlackError as error:
            return error.word, 404 if error.word == "used_url" else 400
        return "ok", 200

    @app.errorhandler(SlackError)
    def refused(error: SlackError) -> tuple[Response, int]:
        return jsonify(ok=False, error=error.word), 409

    return app


def _add_web_api(app: Flask, workspace: Workspace, faults: Faults, bot_token: str) -> None:
    @app.route("/api/<name>", methods=["GET", "POST"])
    def call(name: str) -> Response:
        fault = faults.take(name)
        if fault and fault.kind != "slow":
            answer = _trouble(fault)
            if answer is not None:
                return answer
        arguments = _arguments()
        with workspace.lock:
            response = jsonify(_answer(workspace, name, arguments, bot_token))
        if fault and fault.kind == "lost_answer":
            _hang_up()
        return response


def _trouble(fault: Fault) -> Response | None:
    """Return what goes wrong before anything is done; None where the call is done all the same."""
    if fault.kind == "ratelimited":
        response = jsonify(ok=False, error="ratelimited")
        response.status_code = 429
        response.headers["Retry-After"] = str(max(1, round(fault.seconds)))
        return response
    if fault.kind == "server_error":
        return Response("Internal Server Error", status=500, mimetype="text/plain")
    if fault.kind == "not_json":
        return Response("<html>Slack is having a hiccup</html>", mimetype="text/html")
    if fault.kind == "refused_connection":
        _hang_up()
        return Response("")
    return None


def _hang_up() -> None:
    """Break the connection, so that whatever is answered never arrives."""
    line = request.environ.get("werkzeug.socket")
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)


def _arguments() -> Json:
    arguments: Json = dict(request.args.items()) | dict(request.form.items())
    if request.is_json:
        arguments |= request.get_json(silent=True) or {}
    return arguments


def _answer(workspace: Workspace, name: str, arguments: Json, bot_token: str) -> Json:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(arguments.get("token", ""))
    try:
        if not given:
            raise SlackError("not_authed")
        if not secrets.compare_digest(given.encode(), bot_token.encode()):
            raise SlackError("invalid_auth")
        if name not in METHODS:
            raise SlackError("unknown_method")
        return {"ok": True, **METHODS[name](workspace, arguments)}
    except SlackError as error:
        told = {"response_metadata": {"messages": error.messages}} if error.messages else {}
        return {"ok": False, "error": error.word, **told}


def _add_people_api(app: Flask, workspace: Workspace, presses: Presses) -> None:
    @app.get("/_ui/state")
    def state() -> Response:
        user = request.args.get("user", "")
        with workspace.lock:
            if request.args.get("since") == str(workspace.version):
                return jsonify(version=workspace.version, unchanged=True)
            return jsonify(_state(workspace, user))

    @app.post("/_ui/press")
    def press() -> Response:
        told = _told()
        pressed = Pressed(told["block_id"], told["action_id"], told.get("chosen"))
        if told.get("view_id"):
            return _outcome(presses.on_view(told["user"], told["view_id"], pressed))
        return _outcome(presses.on_message(told["user"], told["channel"], told["ts"], pressed))

    @app.post("/_ui/submit")
    def submit() -> Response:
        told = _told()
        answer, errors = presses.submit(told["user"], told["view_id"], told["values"])
        return _outcome(answer, errors)

    @app.post("/_ui/close")
    def close() -> Response:
        told = _told()
        presses.close(told["user"], told["view_id"])
        return jsonify(ok=True)

    @app.post("/_ui/say")
    def say() -> Response:
        told = _told()
        text = str(told["text"]).strip()
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            answer = presses.command(told["user"], told["channel"], command, rest.strip())
            problem = "" if answer.is_taken else f"{command} failed with the error “{answer.why or 'dispatch_failed'}”"
            return jsonify(ok=answer.is_taken, problem=problem, status=answer.status)
        with workspace.lock:
            channel = workspace.channel(told["channel"])
            workspace.post(channel, {"user": workspace.person(told["user"]).id, "text": text})
        return jsonify(ok=True)


def _add_switches(app: Flask, workspace: Workspace, presses: Presses, faults: Faults) -> None:
    @app.get("/_healthz")
    def healthz() -> Response:
        return jsonify(ok=True, version=workspace.version)

    @app.post("/_app")
    def point_at() -> Response:
        presses.app = replace(presses.app, url=str(_told()["url"]))
        return jsonify(ok=True)

    @app.post("/_links")
    def links() -> Response:
        told = _told()
        with workspace.lock:
            workspace.links = {str(name): str(url) for name, url in told.items()}
            workspace.changed()
        return jsonify(ok=True)

    @app.post("/_faults")
    def add_fault() -> Response:
        faults.add(Fault(**_told()))
        return jsonify(ok=True)

    @app.delete("/_faults")
    def clear_faults() -> Response:
        faults.clear()
        return jsonify(ok=True)


def _told() -> Json:
    """Return the JSON a page or a test sent; a form of another site cannot send that type."""
    if not request.is_json:
        raise SlackError("invalid_content_type")
    told: Any = request.get_json()
    if not isinstance(told, dict):
        raise SlackError("invalid_arguments")
    return told


def _outcome(answer: Answer, errors: dict[str, str] | None = None) -> Response:
    problem = "" if answer.is_taken else TROUBLE
    return jsonify(ok=answer.is_taken, status=answer.status, problem=problem, why=answer.why, errors=errors or {})


def _state(workspace: Workspace, user: str) -> Json:
    views = workspace.views.get(user, [])
    return {
        "version": workspace.version,
        "bot": BOT_USER,
        "people": [p.as_json() for p in workspace.people.values()],
        "channels": [
            {**c.as_json(), "mine": user in c.members, "messages": c.messages} for c in workspace.channels.values()
        ],
        "ephemerals": [asdict(e) for e in workspace.ephemerals if e.user == user],
        "view": views[-1] if views else None,
        "links": workspace.links,
    }
