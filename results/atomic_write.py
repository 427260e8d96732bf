"""Files that are there whole or not at all.

The bytes go to a temporary file in the same folder, reach the disk, and only then take the name that readers look for.
A process that is interrupted or killed leaves at most a temporary file, whose name (it begins with a dot and ends with
``.tmp``) no reader asks for. Two processes writing one name leave one whole file: the later one's.
"""

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole; its folder must exist.

    Args:
        path: the file; one that is there is replaced.
        content: its bytes.

    Raises:
        OSError: if it cannot be written, naming the file; what was at ``path`` is then untouched.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # a full disk does not say of which file; nor is anyone to look for a temporary one
        raise
    finally:
        temporary.unlink(missing_ok=True)  # after an error or Ctrl-C; otherwise it has the other name by now
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems refuse it; the file itself is on disk already
        pass
    finally:
        os.close(descriptor)
