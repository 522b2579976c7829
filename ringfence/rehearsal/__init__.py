"""Runs a synthesised department on 127.0.0.1, from the cloud assembly and the built assets alone."""

OFFERS = (
    "ablation.run",
    "ending",
    "run",
    "scenarios.calls",
    "scenarios.mcp_user",
    "template",
)
