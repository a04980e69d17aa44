"""The exercises, by chapter: a correct function, cases, and common mistakes.

Where camlib has the function, the solution is camlib's; elsewhere it is written to be read, not to be fast.
"""
