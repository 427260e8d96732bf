"""What Grachten, Lattner & Deruty (2020) published of BassNet: Tables 1 to 3, to set ours beside."""

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import msgspec

CrossEntropy = Literal["f0_cross_entropy", "level_cross_entropy", "onset_cross_entropy"]
"""What Table 1 lists, in nats, on validation data."""

CROSS_ENTROPIES: tuple[CrossEntropy, ...] = get_args(CrossEntropy)


class PublishedBassNet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The three tables; sizes are ``compressed/expanded`` windows in frames of 10 ms.

    Attributes:
        source: the publication.
        columns: :data:`CROSS_ENTROPIES`.
        cross_entropies: Table 1: size to dataset (A1 to A4, and PR: pop and rock) to one value a column.
        qda_accuracy: Table 2: size to dataset to the accuracy of the quadratic classifier.
        qda_accuracy_without_cross_reconstruction: Table 3, the ablation: likewise.
    """

    source: str
    columns: tuple[CrossEntropy, ...]
    cross_entropies: dict[str, dict[str, tuple[float, float, float]]]
    qda_accuracy: dict[str, dict[str, float]]
    qda_accuracy_without_cross_reconstruction: dict[str, dict[str, float]]

    def cross_entropy(self, size: str, dataset: str, column: CrossEntropy) -> float | None:
        """A value of Table 1; None where the paper has none."""
        row = self.cross_entropies.get(size, {}).get(dataset)
        return None if row is None else row[self.columns.index(column)]

    def accuracy(self, size: str, dataset: str, *, cross_reconstruction: bool) -> tuple[str, float] | None:
        """The size and the value of Table 2 or, without cross-reconstruction, Table 3; None where the paper has none.

        Table 3 has one size only: it stands beside ours of any size.
        """
        if cross_reconstruction:
            value = self.qda_accuracy.get(size, {}).get(dataset)
            return None if value is None else (size, value)
        ((only, row),) = self.qda_accuracy_without_cross_reconstruction.items()
        return (only, row[dataset]) if dataset in row else None


@cache
def bassnet_tables() -> PublishedBassNet:
    """Tables 1 to 3, from ``reference/bassnet_tables.json``."""
    package = __name__.rpartition(".")[0]
    document = (files(package) / "reference" / "bassnet_tables.json").read_bytes()
    return msgspec.json.decode(document, type=PublishedBassNet)
