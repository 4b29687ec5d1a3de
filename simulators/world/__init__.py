"""Payments in miniature: what Stripe, our journal and the bank each know of some days of them."""
