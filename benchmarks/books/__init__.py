"""Reconciliation beside plain SQL that stores the same rows."""
