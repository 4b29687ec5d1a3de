"""A bank in miniature: its business days, its statements, its booking of payouts."""
