"""Layer 3: does a map show what the network relies on?

``curves`` deletes and inserts places in a map's order, ``confidence`` shows the network what a map
keeps, ``randomisation`` asks whether a map notices that the weights are gone, ``scoring`` runs the
network for all three.
"""

from camlib.faithfulness.confidence import average_drop, increase_in_confidence, masked
from camlib.faithfulness.curves import Curve, blurred, deletion, insertion
from camlib.faithfulness.randomisation import (
    Randomisation,
    randomisation_test,
    rank_correlation,
    shuffled,
)
from camlib.faithfulness.scoring import probabilities

__all__ = [
    "Curve",
    "Randomisation",
    "average_drop",
    "blurred",
    "deletion",
    "increase_in_confidence",
    "insertion",
    "masked",
    "probabilities",
    "randomisation_test",
    "rank_correlation",
    "shuffled",
]
