"""tonedeaf: how often does the gradient of an audio distance point the right way?

The public interface: :func:`make` builds a distance from its name; :class:`AudioDistance` and
:class:`RepresentationDistance` are what a new distance subclasses.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["AudioDistance", "RepresentationDistance", "__version__", "make"]

if TYPE_CHECKING:
    from .losses import AudioDistance, RepresentationDistance, make
else:
    # Imported when first used (PEP 562): they need torch, whose import takes seconds.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import losses

        return getattr(losses, name)


def __dir__() -> list[str]:
    return sorted(__all__)
