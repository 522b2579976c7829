"""The MCP host that runs inside AgentCore Runtime beside one awslabs server.

It verifies the Txn-Token of every call, gives the server credentials made for that call alone, and answers for it.
"""
