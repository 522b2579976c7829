"""Runs the built code of functions and runtimes, each in a process of its own."""
