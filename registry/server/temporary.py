"""The supervisor's temporary folder, which its workers count metrics in."""

import contextlib
import fcntl
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from registry.errors import StartError

_PREFIX = "berth-metrics-"
_LOCK = "lock"


def make_folder(stack: ExitStack) -> Path:
    """Make a folder that only this user can read, and that is gone when `stack` ends.

    What daemons left that had no chance to tidy up is removed, too.

    Raises:
        StartError: there is no place for temporary files.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # Held open, and with it locked, for as long as this process lives, however it ends.
        lock = stack.enter_context((folder / _LOCK).open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        raise StartError(f"no place for temporary files, which TMPDIR can name: {error.strerror}") from error
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    for other in folder.parent.glob(f"{_PREFIX}*"):
        if other != folder:
            _remove_if_left(other)
    return folder


def _remove_if_left(folder: Path) -> None:
    # An error means that it is in use, has just been made, or is another user's.
    with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
