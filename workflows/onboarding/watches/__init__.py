"""What is watched about a customer, each in its own file: its story, and what it hears."""
