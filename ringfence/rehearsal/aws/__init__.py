"""A local AWS on loopback that decides every request with the policies of a cloud assembly and records it."""
