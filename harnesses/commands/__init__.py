"""The commands of ``tonedeaf``, a file for each kind; importing this package adds them to the group, in order of use.

A command's function only names its options: what it does, and the heavy imports for it, are in ``harnesses/*_run.py``.
"""

from . import (  # isort: skip (the order is that of `tonedeaf --help`)
    listing,
    ranking,
    landscapes,
    descent,
    weights,
    bassnet_data,
    bassnet_train,
    bassnet_evaluate,
    bassnet_compose,
    swap,
    publishing,
)

__all__ = [
    "bassnet_compose",
    "bassnet_data",
    "bassnet_evaluate",
    "bassnet_train",
    "descent",
    "landscapes",
    "listing",
    "publishing",
    "ranking",
    "swap",
    "weights",
]
