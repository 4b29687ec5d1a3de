"""Stripe in miniature, with the idempotency, the faults and the field facts of the real one."""
