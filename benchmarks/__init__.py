"""Speed against the bare forward pass and against other libraries: ``python -m benchmarks``.

``timing`` runs contestants in paired rounds, ``contestants`` and ``peers`` say what runs, ``proof``
checks that all of them compute the same map, ``goals`` says how fast is fast enough, ``report``
prints and writes the results, and ``explorers`` times a page in a browser.
"""
