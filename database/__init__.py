"""What we remember: tables, migrations, the request ledger, the inbox, the audit trail."""
