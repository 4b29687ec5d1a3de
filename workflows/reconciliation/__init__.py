"""Payment reconciliation: our journal, the processor and the bank, to a residual of zero."""
