"""What the services answer once a request is allowed."""
