"""An AgentCore gateway as the template describes it."""
