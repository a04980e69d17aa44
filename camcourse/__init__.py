"""Teach and grade with camlib: checks of exercises, quizzes, and graded assignments.

>>> from camcourse import check, quiz, tabulate

``python -m camcourse --help`` lists the commands that release and grade the assignments in
``assignments/``. Names are imported on first use (listed in ``__init__.pyi``).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
