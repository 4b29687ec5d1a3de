"""Why the books cannot be compared: apart from what raises it, which is long to load."""


class UnclearBalance(ValueError):
    """A balance was given that cannot be understood; the text says how to give it."""
