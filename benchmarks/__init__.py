"""Speed against the bare forward pass and against other libraries: ``python -m benchmarks``.

``subjects`` builds networks and batches; ``contestants`` and ``peers`` say what runs on them;
``proof`` checks that all of it computes the same maps, ``written_out`` what gradients have to do with
them; ``timing`` runs it in paired rounds; ``races`` puts these together; ``memory`` measures what
each needs in a process of its own; ``goals`` says how fast is fast enough; ``report`` prints and
writes the results; ``explorers`` times a page in a browser.
"""
