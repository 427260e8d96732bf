"""What distances are asked: seeded tasks, and the signals they are made of."""

from .registry import TASKS
from .task import Axis, Task, Trials

__all__ = ["TASKS", "Axis", "Task", "Trials"]
