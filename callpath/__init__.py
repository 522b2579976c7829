"""What the functions and the runtime share about one call: its digest, its token, its refusal and its record."""
