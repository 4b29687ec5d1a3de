"""Fixtures that any test may ask for."""

from tests.house import house, outside, temporal
from tests.postgres import database, empty_database, migrated_template, postgres_server

__all__ = [
    "database",
    "empty_database",
    "house",
    "migrated_template",
    "outside",
    "postgres_server",
    "temporal",
]
