"""The form with which staff ask a client about a claim, and what was filled in. Pure."""

from dataclasses import dataclass

from bot import form_parts as parts
from bot import ids
from bot.claim_forms import AboutClaim
from bot.form_parts import View
from claims import words
from models import RequestKind

_QUESTION_MOST = 2_000


@dataclass(frozen=True)
class Asked:
    """A filled-in Ask form. `errors` names the fields to correct; then nothing else counts."""

    kind: RequestKind | None
    question: str | None
    errors: dict[str, str]


def ask_form(about: AboutClaim, *, title: str) -> View:
    """Return the form that asks what the client is to say or send."""
    options = [parts.option(kind.value, words.request_kind_name(kind.value)) for kind in RequestKind]
    hint = "Empty sends the usual question, with the facts of the claim. The client reads it as it stands."
    fields = [
        parts.said(title),
        parts.select(ids.KIND, "Ask for", options),
        parts.written(ids.QUESTION, "Question", longest=_QUESTION_MOST, needed=False, hint=hint),
    ]
    return parts.form(ids.ASK_VIEW, "Ask the client", "Ask", about.packed(), fields)


def asked(view: View) -> Asked:
    """Read a sent Ask form."""
    chosen, question = parts.chosen_in(view, ids.KIND), parts.written_in(view, ids.QUESTION)
    if chosen not in set(RequestKind):
        return Asked(None, None, {ids.KIND: "Choose what the client is asked for."})
    kind = RequestKind(chosen)
    if kind is RequestKind.OTHER and question is None:
        return Asked(kind, None, {ids.QUESTION: "Write what the client is to say or send."})
    return Asked(kind, question, {})
