"""What all tests with faults need."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def temporary_files_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Daemons that are killed leave their temporary files among those of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
        yield
