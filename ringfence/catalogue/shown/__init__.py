"""What a caller, and the model behind it, sees of a tool."""
