"""Decides an AWS request from policy documents, over AWS's own table of actions. Knows nothing of ours."""

OFFERS = ("actions", "conditions", "evaluator", "patterns", "policy", "problems")
