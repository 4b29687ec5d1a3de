"""The outside world in miniature: Stripe, mail, two directories, a CRM; their clock and faults."""
