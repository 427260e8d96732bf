"""Where and with which code something ran: the part of a record that explains, but does not decide, its numbers."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from .record import Environment, Revision

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]
_GIT_SECONDS = 30
_BYTES_PER_MIB = 2**20


def environment(device: str) -> Environment:
    """The environment of this process.

    Args:
        device: the torch device that computes, as in ``cpu`` or ``cuda:0``; a GPU's model is added to it.

    Raises:
        ValueError: if torch does not know such a device.
    """
    import torch

    try:
        parsed = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device must be one that torch knows, as in 'cpu' or 'cuda:0', got {device!r}") from error
    if parsed.type == "cuda" and torch.cuda.is_available():
        device = f"{device} ({torch.cuda.get_device_name(parsed)})"
    return Environment(
        python=platform.python_version(),
        torch=str(torch.__version__),
        device=device,
        threads=torch.get_num_threads(),
        platform=_platform(),
    )


def _platform() -> str:
    """System, processor and C library or release, as in ``Linux-x86_64-glibc2.36``.

    Not the kernel's release: it decides no numbers, and a private kernel's name would end up in published records.
    """
    system = platform.system()
    release = {"Linux": "".join(platform.libc_ver()), "Darwin": platform.mac_ver()[0]}.get(system, platform.release())
    return "-".join(part for part in (system, platform.machine(), release) if part)


def revision(root: Path = _PACKAGE_ROOT) -> Revision:
    """The commit of the checkout whose top level is the package's own root folder.

    An installed package has no such checkout, even if its folder lies inside somebody's repository (a virtual
    environment often does): then, and where git is absent or refuses, the commit is None and ``dirty`` False.

    Args:
        root: the folder that must be the checkout's top level.

    Returns:
        The commit, and whether tracked files differ from it or untracked ones lie beside them.
    """
    top_level = _git(root, "rev-parse", "--show-toplevel")
    if top_level is None or Path(top_level).resolve() != root.resolve():
        return Revision(commit=None, dirty=False)
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = _git(root, "status", "--porcelain")
    return Revision(commit=commit, dirty=bool(changes))


def peak_memory_mib() -> float | None:
    """The largest resident memory of this process so far, in MiB; None on a system that does not count it.

    Source: ``VmHWM`` of proc(5) where there is one; elsewhere ``ru_maxrss`` of getrusage(2), in KiB or, on macOS,
    bytes. On Linux ``ru_maxrss`` of a process that was started by a larger one is the larger one's.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        status = ""
    high_water = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    if high_water:
        return int(high_water[1]) * 1024 / _BYTES_PER_MIB
    return _peak_of_getrusage_mib(sys.platform)


def _peak_of_getrusage_mib(system: str) -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest * (1 if system == "darwin" else 1024) / _BYTES_PER_MIB


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None if it cannot say."""
    # A hook's GIT_DIR would point to another repository; asking must not write to the index.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        finished = subprocess.run(
            ["git", "-C", os.fspath(folder), *arguments],
            capture_output=True,
            check=True,
            env=variables,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return finished.stdout.strip()
