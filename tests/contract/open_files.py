"""Which files this process has open."""

from pathlib import Path


def open_files_below(folder: Path) -> list[str]:
    """The paths below `folder` that this process has open, one for each descriptor."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:  # the descriptor that lists the others
            continue
        if target.startswith(f"{folder}/"):
            found.append(target)
    return sorted(found)
