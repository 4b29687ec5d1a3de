"""A play on the real stack: customers onboarded while the world misbehaves, and then checked."""
