"""Error messages of the page."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass

from acgen.errors import AcgenError

_log = logging.getLogger("acgen")


class Reported(RuntimeError):
    """A bug that was explained where it happened, in another process; the message is what `explain` said there."""


def explain(error: Exception) -> str:
    """Text of an error for the page: the core's own message, or where a bug is; its traceback goes to the log."""
    if isinstance(error, (AcgenError, Reported)):
        return str(error)
    _log.error("a bug of acgen", exc_info=error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = place.filename.rsplit("/", 1)[-1]
    return (
        f"{type(error).__name__}: {error} ({place.name}, line {place.lineno} of {file}). "
        "Change a setting and start again; if it happens again, please report this line."
    )


@dataclass(frozen=True)
class Failure:
    """Why a run failed, in words, and whether its user can mend that; otherwise it is a bug."""

    text: str
    mendable: bool

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """What there is to say of an error."""
        return cls(explain(error), isinstance(error, AcgenError))

    @property
    def error(self) -> Exception:
        """The error on this side."""
        return AcgenError(self.text) if self.mendable else Reported(self.text)
