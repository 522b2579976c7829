"""What a rehearsal leaves behind: an account on the terminal while it plays, report.json, and the page beside it."""
