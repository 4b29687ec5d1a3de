"""Statements as banks write them, one module for each format; all take the same statements."""
