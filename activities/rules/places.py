"""Where things stand in the file of a table."""

import re


class Places:
    """Where things stand in a file, by its lines: good enough for people, never for reading."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._rows = [
            number
            for number, line in enumerate(self._lines, 1)
            if re.match(r"\s*\[\[\s*rows\s*\]\]", line)
        ]

    def cell(self, index: int, column: str | None = None) -> int | None:
        """The line of a column in a row, or of the row where the column is not there."""
        if index >= len(self._rows):
            return None
        start = self._rows[index]
        end = self._rows[index + 1] - 1 if index + 1 < len(self._rows) else len(self._lines)
        for number in range(start, end):
            if column and re.match(rf"\s*{re.escape(column)}\s*=", self._lines[number]):
                return number + 1
        return start

    def section(self, path: list[str]) -> int | None:
        """The line of `[inputs.country]` and the like; of a plain key, its own."""
        for length in (2, 1):
            wanted = re.escape(".".join(path[:length]))
            for number, line in enumerate(self._lines, 1):
                if re.match(rf"\s*(\[\s*{wanted}\s*\]|{wanted}\s*=)", line):
                    return number
        return None
