"""Whom we talk to: one Protocol for a capability, one module for a system."""
