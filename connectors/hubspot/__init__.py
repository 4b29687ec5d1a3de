"""HubSpot's CRM, by its objects API (version 3)."""
