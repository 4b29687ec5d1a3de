"""The outside world in miniature: Stripe, mail, a directory, a CRM; their clock and faults."""
