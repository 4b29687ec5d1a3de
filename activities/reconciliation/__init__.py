"""What reconciling an account does: gathers, matches, proves, posts, reports."""
