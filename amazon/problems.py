"""Why a delivered file cannot be used, as the reader raises it inside; a caller of `read` gets it as `Refused`."""

from detection.reports import Refused


class FileRefused(Exception):
    """One file cannot be used at all.

    `code` is a word of the output; `message` says what is wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def of(self, file: str) -> Refused:
        """Return this as what the reader says of `file`."""
        return Refused(file, self.code, self.message)
