"""What the service costs beside the bare driver: ``python -m tests.benchmarks``.

One client sends one request after another, ours and the driver's in turn, so that whatever
else the machine does falls on both. Ratios of one run can be compared; milliseconds of two
machines cannot.
"""
