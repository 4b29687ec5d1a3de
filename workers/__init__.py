"""What runs: one module for each process, settings, logs, the command line."""
