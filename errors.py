"""What Recoup says to a person when something cannot be done: what happened, and what to do about it."""


class RecoupError(Exception):
    """An expected problem, told in words. Anything else that is raised is a bug.

    `todo` says what the person can do; it may be empty where nothing is to be done.
    """

    def __init__(self, message: str, *, todo: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.todo = todo

    def __str__(self) -> str:
        """Return the one line that a person is shown."""
        return f"{self.message} {self.todo}".strip()


class NotAllowed(RecoupError):
    """The person is known but has no right to do this."""


class NotFound(RecoupError):
    """There is no such row, or it belongs to another client: the two look the same from outside."""


class Moved(RecoupError):
    """The row is no longer in the state the person acted on: somebody else, or Amazon, was faster."""


class InvalidInput(RecoupError):
    """What was given cannot be used; `field` names the form field or option it was given in."""

    def __init__(self, message: str, *, field: str = "", todo: str = "") -> None:
        super().__init__(message, todo=todo)
        self.field = field
