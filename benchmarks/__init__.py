"""Speed against the bare forward pass and against other libraries: ``python -m benchmarks``.

``subjects`` builds networks and batches; ``contestants`` and ``peers`` say what runs on them;
``proof`` checks that all of it computes the same maps; ``timing`` runs it in paired rounds;
``races`` puts these together; ``goals`` says how fast is fast enough; ``report`` prints and writes
the results; ``explorers`` times a page in a browser.
"""
