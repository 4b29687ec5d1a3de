"""The clock of the simulated world: the wall clock plus what tests moved it ahead."""

import time

from simulators.storage import Storage

OFFSET = "clock_offset_seconds"


class Clock:
    """Seconds since 1970 (UTC). It is moved ahead only, and the offset survives a restart."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._offset = float(storage.setting(OFFSET, 0.0))

    def now(self) -> float:
        """The simulated time."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock ahead."""
        self._offset += seconds
        self._storage.keep_setting(OFFSET, self._offset)
