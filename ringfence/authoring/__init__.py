"""Writing a department's file: a new one from an example, and what is wrong with one, before anything is built."""

OFFERS = ("checked", "copied")
