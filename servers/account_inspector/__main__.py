"""Serves on standard input and output, as the MCP host starts it."""

from account_inspector.server import server

if __name__ == "__main__":
    server.run()
