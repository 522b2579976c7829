"""`python -m ringfence`, as `ringfence` in the virtual environment."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C needs no traceback through what is imported
    from ringfence.command_line.entry import run

    run()
