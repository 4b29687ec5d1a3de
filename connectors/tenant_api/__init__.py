"""A directory by a plain API of tenants: JSON over HTTP, without SCIM."""
