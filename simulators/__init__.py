"""The outside world in miniature: Stripe and mail, their clock and their faults."""
