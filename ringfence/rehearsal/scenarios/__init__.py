"""What is played against a running department, and how each call is judged."""
