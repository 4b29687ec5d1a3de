"""Decision tables: how they are read, asked and checked."""
