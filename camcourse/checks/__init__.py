"""Instant checks of the book's coding exercises, which run on the reader's machine alone."""

from camcourse.checks.check import all_exercises as all_exercises
from camcourse.checks.check import check as check
from camcourse.checks.exercise import Exercise as Exercise
from camcourse.checks.judge import Verdict as Verdict
from camcourse.checks.judge import judge as judge
