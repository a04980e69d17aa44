from .checks import check as check
from .quizzes import quiz as quiz
from .tables import tabulate as tabulate
