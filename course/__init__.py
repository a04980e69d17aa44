"""The course kit: release assignments, grade what comes back, write feedback, merge points by hand.

``python -m course --help`` lists the commands. The masters stand in ``assignments/``.
"""

SECONDS = 10.0  # of the processor, for a cell or a call of a submission; thrice that on the clock
