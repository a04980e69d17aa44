"""Speed against the bare forward pass and against other libraries: ``python -m benchmarks``.

``contestants`` and ``peers`` say what runs, ``proof`` checks that all of it computes the same maps,
``timing`` runs it in paired rounds, ``races`` puts these together; ``memory`` measures what each needs
in a process of its own, ``pages`` what a page of the book costs its reader; ``goals`` says how fast is
fast enough, ``report`` prints and writes the results. ``classroom`` grades a class, by a command of its own.
"""
