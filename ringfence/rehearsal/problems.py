"""What stops a rehearsal before it starts: always named, always with a remedy."""

from __future__ import annotations

from ringfence import CannotGoOn


class CannotStart(CannotGoOn):
    """The rehearsal cannot start."""
