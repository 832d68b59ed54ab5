"""The error for what a user can mend."""

from __future__ import annotations


class AcgenError(ValueError):
    """An error that the user can mend; the message says what was got, what was expected, and what to do.

    Everything else that is raised is a bug of acgen and keeps its traceback.
    """
