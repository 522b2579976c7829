"""The proofs, one a file; `ringfence.proofs.registry` names and orders them."""
