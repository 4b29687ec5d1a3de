"""The journal: our own book, in double entry."""
