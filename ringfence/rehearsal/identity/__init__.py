"""The user pool's tokens, the invented people who hold them, and what verifies them."""
