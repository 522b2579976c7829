"""Before a deployment: does the account hold what the templates expect, and nothing that stands in their way?"""
