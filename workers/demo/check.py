"""What a check comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What must hold, what was seen, and what does not hold: nothing where all is well."""

    what: str
    saw: str
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all is well."""
        return not self.problems
