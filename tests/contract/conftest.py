"""The suites live in modules of their own: their assertions explain themselves as those of test modules do."""

import pytest

pytest.register_assert_rewrite(
    "tests.contract.blob_driver",
    "tests.contract.blob_driver_interrupted",
    "tests.contract.blob_driver_shared",
    "tests.contract.blob_driver_suite",
    "tests.contract.metadata_store",
    "tests.contract.metadata_store_shared",
)
