"""The secrets of a laptop stack, made on first use; one file each, for the owner's eyes only."""

from __future__ import annotations

from pathlib import Path

from workers import secret_files

TENANT = "example"


def make(home: Path) -> None:
    """Make what is missing in the folder `secrets`; what is there stays.

    Raises Obstacle where the folder belongs to another user.
    """
    folder = home / "secrets"
    keys = secret_files.make(folder)
    callers = secret_files.who_may_call(keys, place="laptop", tenant=TENANT)
    secret_files.keep(folder / "api_keys.json", callers)
