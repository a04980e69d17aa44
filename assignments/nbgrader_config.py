"""Settings for schools that use nbgrader: run its commands in this folder, the course directory."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader puts it there

c.CourseDirectory.course_id = "class-activation-maps"
# The masters stand in source/NAME/NAME.ipynb; nbgrader makes release/, submitted/ and the rest
# beside it. Training on the spot may take a while on an old laptop:
c.ExecutePreprocessor.timeout = 300
