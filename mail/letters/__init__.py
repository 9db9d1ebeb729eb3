"""What each kind of mail says: a kind of the outbox, and the function that writes it from the database as it is now.

A new kind is a module here and a line in `RENDERERS`.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

import outbox
from mail.letter import Letter
from mail.letters.request import request
from mail.letters.weekly import invoice, weekly
from models import OutboxMessage

#: Writes the letter of a row. Raises NotFound where what it tells of is gone, InvalidInput where it can go nowhere.
Renderer = Callable[[Session, OutboxMessage], Letter]

RENDERERS: dict[str, Renderer] = {
    outbox.INVOICE_MAIL: invoice,
    outbox.REQUEST_MAIL: request,
    outbox.WEEKLY_MAIL: weekly,
}
