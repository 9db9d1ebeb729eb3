"""What a person did in Slack, read from whatever Slack sent, and the way to answer that person alone."""

from dataclasses import dataclass
from typing import Any, Self

import structlog

from bot.client import SlackTrouble, call, post_to, web_client
from bot.form_parts import metadata_of, text_or_none
from errors import InvalidInput

log = structlog.get_logger()

_ANSWER_LIMIT = 3_000
_LONGEST_ID = 18  # digits that fit a row's id


@dataclass(frozen=True)
class Press:
    """A press, a sent form or a command. `user_team` is where the person belongs, `team` where it was done."""

    user_id: str
    user_team: str | None
    team: str | None
    channel: str | None
    message_ts: str | None
    trigger_id: str
    response_url: str | None

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Read what Slack sent. Ids come from the container: an ephemeral message's payload has no message.

        A sent form has neither, and says itself on which card it was opened.
        """
        user, container = body.get("user") or {}, body.get("container") or {}
        about = metadata_of(body.get("view") or {}) or {}
        channel = container.get("channel_id") or (body.get("channel") or {}).get("id") or body.get("channel_id")
        message_ts = container.get("message_ts") or (body.get("message") or {}).get("ts")
        return cls(
            user_id=user.get("id") or body.get("user_id") or "",
            user_team=user.get("team_id"),
            team=(body.get("team") or {}).get("id") or body.get("team_id"),
            channel=channel or text_or_none(about.get("channel")),
            message_ts=message_ts or text_or_none(about.get("message_ts")),
            trigger_id=body.get("trigger_id") or "",
            response_url=body.get("response_url"),
        )

    def answer(self, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
        """Tell this person, and nobody else. Where Slack does not take it, the log has it: nothing depends on it."""
        said = {"text": text[:_ANSWER_LIMIT], **({"blocks": blocks} if blocks else {})}
        try:
            self._tell(said)
        except SlackTrouble as trouble:
            log.warning("slack_answer_not_told", slack_user=self.user_id, error=str(trouble))

    def _tell(self, said: dict[str, Any]) -> None:
        if self.response_url:
            try:
                post_to(self.response_url, {"response_type": "ephemeral", "replace_original": False, **said})
                return
            except SlackTrouble:
                if not self.channel:
                    raise
        if not self.channel:
            raise SlackTrouble("There is no place to answer in.")
        call(web_client().chat_postEphemeral, channel=self.channel, user=self.user_id, **said)


def row_id(action: dict[str, Any]) -> int:
    """Return the id of the row that a button names. It proves nothing: the service checks. Raises InvalidInput."""
    value = str(action.get("value", ""))
    if not (value.isascii() and value.isdigit()) or len(value) > _LONGEST_ID:
        raise InvalidInput("This button names no discrepancy.", todo="Decide in the back office.")
    return int(value)
