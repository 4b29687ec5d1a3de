"""Stripe: billing, identity, and the events that tell of both."""
