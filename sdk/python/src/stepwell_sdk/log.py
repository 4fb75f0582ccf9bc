"""Lines for the task's log: `log.info("priced %d items", count)`.

Standard output and standard error go to the same log; these lines carry a level. `capture` sends what libraries write
through Python's `logging` there as well.
"""

import logging

from ._host import write_log


def trace(message: object, *arguments: object) -> None:
    """Writes a line that only helps to find a fault."""
    write_log("trace", _text(message, arguments))


def debug(message: object, *arguments: object) -> None:
    """Writes a line that helps while developing."""
    write_log("debug", _text(message, arguments))


def info(message: object, *arguments: object) -> None:
    """Writes a line on what usually happens."""
    write_log("info", _text(message, arguments))


def warn(message: object, *arguments: object) -> None:
    """Writes a line on something odd that the task could deal with."""
    write_log("warn", _text(message, arguments))


def error(message: object, *arguments: object) -> None:
    """Writes a line on something that made the task fail."""
    write_log("error", _text(message, arguments))


class LogHandler(logging.Handler):
    """Writes records of Python's `logging` to the task's log, at the level nearest to theirs."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            write_log(_level(record.levelno), self.format(record))
        except Exception:  # As every handler does: what logs is not what fails.
            self.handleError(record)


def capture(level: int = logging.INFO) -> None:
    """Sends records of all loggers from a level on to the task's log. Doing it again changes the level only."""
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler, LogHandler) for handler in root.handlers):
        root.addHandler(LogHandler())


def _text(message: object, arguments: tuple) -> str:
    return str(message) % arguments if arguments else str(message)


def _level(number: int) -> str:
    if number < logging.DEBUG:
        return "trace"
    if number < logging.INFO:
        return "debug"
    if number < logging.WARNING:
        return "info"
    return "warn" if number < logging.ERROR else "error"
