"""Bank statement files: read as they stream by, proven, refused where they cannot be trusted."""
