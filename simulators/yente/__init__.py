"""yente, the API of OpenSanctions, in miniature: one dataset, and a matcher of its own."""
