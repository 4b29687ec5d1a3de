"""Speed, measured: our mechanisms beside the same work without them, in one run, interleaved.

`python -m benchmarks` (or `make bench`) starts a stack of its own and needs nothing that runs.
"""
