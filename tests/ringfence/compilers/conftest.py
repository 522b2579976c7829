"""What the tests here take of `tests.ringfence.made_up`."""

from tests.ringfence.made_up import (
    catalogue,
    catalogue_root,
    department,
    real,
    sandbox,
    wide,
    wide_department,
    wide_root,
    write_department,
)

__all__ = [
    "catalogue",
    "catalogue_root",
    "department",
    "real",
    "sandbox",
    "wide",
    "wide_department",
    "wide_root",
    "write_department",
]
