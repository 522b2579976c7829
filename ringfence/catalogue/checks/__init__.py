"""What must hold of one server's classification, beside its locked tools."""
