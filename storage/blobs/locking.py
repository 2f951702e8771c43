"""Files that one process at a time has open: the kernel frees them when it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_or_close(path: Path, descriptor: int) -> bool:
    """Lock the file that was just opened by this name. If that cannot be done now, it is closed again. Never waits.

    It cannot while another one has it, or had it and took its name away.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its holder may have removed it between the two calls: then the name leads elsewhere by now.
        if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
            return True
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return False
