"""Questions for self-checking, one file a chapter, answered in the page without Python.

``questions`` says what a quiz is made of, ``reading`` reads a file and refuses a faulty one, ``page``
writes the HTML, and ``quiz`` is the door.
"""

from camcourse.quizzes.questions import Answer as Answer
from camcourse.quizzes.questions import Question as Question
from camcourse.quizzes.quiz import Quiz as Quiz
from camcourse.quizzes.quiz import names as names
from camcourse.quizzes.quiz import quiz as quiz
