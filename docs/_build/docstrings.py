"""What this project's docstrings write otherwise than the documentation's tools expect."""

import re

from griffe import Extension, Object

ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):`~?\.?([^`]+)`")
EXAMPLE = re.compile(r"^(\s*)Example:$", re.MULTILINE)


class Docstrings(Extension):
    """A role such as ``:func:`make` `` is shown as its name; an ``Example:`` is code, as ``Examples:`` are."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Called by griffe with each object that it has read."""
        if obj.docstring is not None:
            text = ROLE.sub(lambda role: f"`{role[1].rpartition('.')[2]}`", obj.docstring.value)
            obj.docstring.value = EXAMPLE.sub(r"\1Examples:", text)
