"""What is done in reconciliation: gathering, matching, proving, reporting and posting."""
