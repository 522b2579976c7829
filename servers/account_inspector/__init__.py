"""Our own MCP server: what an auditor asks of an account, read only, each answer with what it cannot see."""
