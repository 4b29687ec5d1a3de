"""The second act: what the new customers pay is compared in three books."""
