"""What follows from a run: postings, and those told whom it concerns."""


