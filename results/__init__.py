"""Results: records of what was found, and every table and figure that is made from them.

``record`` says what a record is and ``store`` keeps them, ``environment`` says where one was made, ``intervals`` judges
proportions, ``published_values`` has the numbers of others, ``table1`` sets ours beside them, and ``table1_text`` and
``figure_table1`` show both. What draws is imported from its own module, so that reading a record needs no matplotlib.
"""

from .intervals import Proportion, agrees, newcombe, wilson
from .record import (
    SCHEMA,
    Artefact,
    DistanceIdentity,
    Environment,
    Record,
    RecordError,
    Revision,
    Status,
    TaskIdentity,
    record_key,
)
from .store import RecordStore
from .table1 import Table1, table1_from_records

__all__ = [
    "SCHEMA",
    "Artefact",
    "DistanceIdentity",
    "Environment",
    "Proportion",
    "Record",
    "RecordError",
    "RecordStore",
    "Revision",
    "Status",
    "Table1",
    "TaskIdentity",
    "agrees",
    "newcombe",
    "record_key",
    "table1_from_records",
    "wilson",
]
