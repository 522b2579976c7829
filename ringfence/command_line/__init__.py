"""The command `ringfence`: what can be asked, in one table, and the steps that several commands begin with.

Each module declares the commands of one section of `--help`. What they do is in the rooms, and is imported when a
command runs, so that `--help` and `check` cost no second.
"""

OFFERS = ()
