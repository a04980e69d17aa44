"""Self-check questions, one file per chapter, answered in the page without Python."""

from camcourse.quizzes.questions import Answer as Answer
from camcourse.quizzes.questions import Question as Question
from camcourse.quizzes.quiz import Quiz as Quiz
from camcourse.quizzes.quiz import names as names
from camcourse.quizzes.quiz import quiz as quiz
