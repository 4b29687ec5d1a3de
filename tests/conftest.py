"""Fixtures that any test may ask for."""

from tests.house import house, outside, temporal
from tests.laptop import own
from tests.postgres import database, empty_database, migrated_template, postgres_server

__all__ = [
    "database",
    "empty_database",
    "house",
    "migrated_template",
    "outside",
    "own",
    "postgres_server",
    "temporal",
]
