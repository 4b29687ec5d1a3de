"""A directory by a plain API of tenants: users and groups, JSON over HTTP."""
