"""Asks a real account: `preflight/` before a deployment, `verification/` after one.

Nothing here is asked but when one of these commands is run. Every question about the account goes through `account`.
"""

OFFERS = ("account", "commands", "problems", "verification.points")
