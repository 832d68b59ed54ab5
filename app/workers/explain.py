"""What the page says of an error."""

from __future__ import annotations

import traceback

from acgen.errors import AcgenError


def explain(error: Exception) -> str:
    """Text of an error for the page: the core's own message, or where a programming error happened."""
    if isinstance(error, AcgenError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    file = place.filename.rsplit("/", 1)[-1]
    return (
        f"{type(error).__name__}: {error} ({place.name}, line {place.lineno} of {file}). "
        "Change a setting and start again; if it happens again, please report this line."
    )
