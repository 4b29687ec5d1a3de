"""The words of books, as the small numbers that stand for them in tables and in SQL."""

from typing import get_args

from workflows.reconciliation.books import Book, Disposition, Leg, Rule

BOOKS: dict[Book, int] = {book: code for code, book in enumerate(get_args(Book), 1)}
"""1 processor, 2 bank, 3 clearing, 4 in_transit, 5 cash."""

LEGS: dict[Leg, int] = {leg: code for code, leg in enumerate(get_args(Leg), 1)}
"""1 L1, 2 L2, 3 L3."""

DISPOSITIONS: dict[Disposition, int] = {
    word: code for code, word in enumerate(get_args(Disposition), 1)
}
"""1 exact, 2 difference, 3 contra, 4 fx_pair, 5 timing, 6 break, 7 out_of_scope."""

RULES: dict[Rule, int] = {rule: code for code, rule in enumerate(get_args(Rule), 1)}
"""In the order in which `Rule` names them."""
