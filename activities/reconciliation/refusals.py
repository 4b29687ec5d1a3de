"""Why the books cannot be compared: apart from what raises it, which is long to load."""


class UnclearBalance(ValueError):
    """A balance was given that cannot be understood; the text says how to give it."""


class TermsChanged(Exception):
    """The inputs of a run were fixed by other terms than those that are in force now."""

    def __init__(self, fixed: str, now: str) -> None:
        super().__init__(
            f"the inputs were fixed by the terms {fixed}, and the terms are {now} since: withdraw "
            "this run, and run the day again"
        )
