"""The exercises, one module a chapter: a right function, cases, and the mistakes often made.

``right`` is written for the reader of this file, not for speed; where camlib has the function, it is
camlib's.
"""
