"""`python -m ringfence`, as `ringfence` in the virtual environment."""

from ringfence.command_line.entry import run

if __name__ == "__main__":
    run()
