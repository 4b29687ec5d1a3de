"""What comes in: the HTTP API, and webhooks."""
