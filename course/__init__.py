"""The course kit: release assignments, grade what comes back, write feedback, merge points by hand.

``python -m course --help`` lists the commands. The masters stand in ``assignments/``.
"""
