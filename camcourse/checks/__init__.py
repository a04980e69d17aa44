"""Instant checks of the book's coding exercises: private, at once, naming the mistake."""

from camcourse.checks.check import all_exercises as all_exercises
from camcourse.checks.check import check as check
from camcourse.checks.exercise import Case as Case
from camcourse.checks.exercise import Exercise as Exercise
from camcourse.checks.exercise import Mistake as Mistake
from camcourse.checks.judge import Verdict as Verdict
from camcourse.checks.judge import judge as judge
