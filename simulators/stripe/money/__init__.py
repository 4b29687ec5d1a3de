"""The money of the simulated Stripe account: payments, its balance, payouts and reports."""
