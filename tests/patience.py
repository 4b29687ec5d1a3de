"""How long a test waits for what must come: nothing where all is well, enough on a slow machine."""

SOON = 60.0  # seconds
