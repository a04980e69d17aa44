"""Questions for self-checking, one file a chapter, answered in the page without Python.

``questions`` says what a quiz is made of, ``reading`` reads a file and refuses a faulty one, ``page``
writes the HTML, and ``quiz`` is the door.
"""

from camlib.quizzes.questions import Answer as Answer
from camlib.quizzes.questions import Question as Question
from camlib.quizzes.quiz import Quiz as Quiz
from camlib.quizzes.quiz import names as names
from camlib.quizzes.quiz import quiz as quiz
