"""What the tests here take of `tests.ringfence.made_up`."""

from tests.ringfence.made_up import catalogue, catalogue_root, real

__all__ = ["catalogue", "catalogue_root", "real"]
