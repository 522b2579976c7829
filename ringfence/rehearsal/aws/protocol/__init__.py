"""How a request to AWS arrives and is answered: wire formats, signatures, HTTP."""
