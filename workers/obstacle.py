"""The one parent of errors that a person can mend."""

from __future__ import annotations

from typing import ClassVar


class Obstacle(Exception):
    """Something stands in the way. The text names it and the way out; no traceback is needed."""

    exit_code: ClassVar[int] = 1
    """What the command line ends with."""
