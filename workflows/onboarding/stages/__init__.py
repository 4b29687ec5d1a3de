"""The stages of an onboarding, each in its own file: its part of the story, and what it hears."""
