"""What happens, in which order: the durable processes and their messages."""
