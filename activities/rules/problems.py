"""What is wrong with a table, and where."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that keeps a table from being used, with its place.

    `row` is the row's number, from 1, and its id; `column` is what stands left of the `=`, or the
    path to it outside of rows.
    """

    file: str
    text: str
    line: int | None = None
    row: str | None = None
    column: str | None = None
    character: int | None = None

    def __str__(self) -> str:
        place = [self.file if self.line is None else f"{self.file}:{self.line}"]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        if self.character is not None:
            place.append(f"character {self.character}")
        return f"{', '.join(place)}: {self.text}"


class BadRules(ValueError):
    """Tables cannot be used. The text has a line for each problem, with file, row and column."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
