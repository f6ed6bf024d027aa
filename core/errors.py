"""The one kind of error that a user can mend: shown as a message, never as a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something outside the program is wrong; the message says what, where and how to mend it."""
