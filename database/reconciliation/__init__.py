"""What we remember of three books: their items, what was matched, what is open, what was proven."""
