"""What runs: one module for each process, settings, telemetry, the command line."""
