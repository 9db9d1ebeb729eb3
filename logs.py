"""What the program says of itself while it works: one event a line, with fields, to stderr.

A constant event and ids, never a row, a body, a token, a name or an address; contextvars bind account and run.
"""

import logging
import sys

import structlog


def configure(*, is_command: bool = False) -> None:
    """Set up logging: lines for a person at a terminal, JSON for a machine. Can be called again.

    A command speaks for itself: of it, only what somebody has to look at is logged.
    """
    is_terminal = sys.stderr.isatty()
    draw = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)  # others print local values
        if is_terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if is_terminal else [structlog.processors.format_exc_info]),
            draw,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if is_command else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
