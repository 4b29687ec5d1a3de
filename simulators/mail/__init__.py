"""A mail server that delivers nowhere: SMTP in, an inbox over HTTP."""
