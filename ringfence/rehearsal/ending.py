"""How a command ends when somebody interrupts it: in order, once, and in any case."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

EXIT_SIGNAL = 128  # and the signal's number, as shells do
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST_END_SECONDS = 60.0


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def told(self) -> int:
        """Say that everything has ended, and return the exit code."""
        print("\nInterrupted; everything that was started has been stopped.", file=sys.stderr)
        return EXIT_SIGNAL + self.number


def interrupted_in(ended: BaseExceptionGroup[BaseException]) -> Interrupted | None:
    """The signal among what ended a task group, which wraps all that passes through it."""
    found: BaseException | None = ended.subgroup(Interrupted)
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, Interrupted) else None


def end_in_order() -> None:
    """From here on, the first SIGINT, SIGTERM or SIGHUP raises `Interrupted` in the main thread."""
    for number in SIGNALS:  # SIGINT too: a shell that starts a process in the background makes it ignore that signal
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # which only nohup ignores
            signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """End in order, once, and within LONGEST_END_SECONDS: should that fail, our end alone ends the rest."""
    for each in SIGNALS:  # a second one would break the orderly end; SIG_IGN would pass on to children still starting
        signal.signal(each, lambda *_: None)
    last_resort = threading.Timer(LONGEST_END_SECONDS, os._exit, (EXIT_SIGNAL + number,))
    last_resort.daemon = True
    last_resort.start()
    raise Interrupted(number)
