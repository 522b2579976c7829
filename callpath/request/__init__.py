"""What a request is held to by itself: the one set of rules with which both interceptors decide."""
