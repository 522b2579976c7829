"""What the tests here take of `tests.ringfence.made_up`."""

from tests.ringfence.made_up import real

__all__ = ["real"]
