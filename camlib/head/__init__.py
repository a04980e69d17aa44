"""Layer 2: find a network's head by what it does, not by what its layers are called.

``watch`` notes what the network calls, ``pooling_call`` recognises a global average among it,
``folds`` turns what follows into one ``affine`` map (``norms``, ``held``, ``picking`` and
``contraction`` are its special cases), ``refusal`` says why where that cannot be done, ``doors``
refuses bad input, ``modes`` and ``layout`` prepare network and images, ``runs`` remembers where to
look the next time, ``ends`` how to look there without watching, and ``find`` puts them together.
"""

from camlib.head.find import Head, find_head

__all__ = ["Head", "find_head"]
