"""Instant checks of the book's coding exercises: private, at once, naming the mistake."""

from camlib.checks.check import all_exercises as all_exercises
from camlib.checks.check import check as check
from camlib.checks.exercise import Case as Case
from camlib.checks.exercise import Exercise as Exercise
from camlib.checks.exercise import Mistake as Mistake
from camlib.checks.judge import Verdict as Verdict
from camlib.checks.judge import judge as judge
