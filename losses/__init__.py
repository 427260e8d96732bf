"""What is compared: audio distances, behind one contract and one table.

:class:`AudioDistance` is the contract, :func:`make` turns a text into a distance, :mod:`.conformance` checks that a
distance keeps the contract.
"""

from .base import AudioDistance, Representation, RepresentationDistance
from .registry import Description, Entry, describe, make, names
from .specification import Specification

__all__ = [
    "AudioDistance",
    "Description",
    "Entry",
    "Representation",
    "RepresentationDistance",
    "Specification",
    "describe",
    "make",
    "names",
]
