"""HubSpot's CRM in miniature: contacts and companies by its objects API, version 3."""
