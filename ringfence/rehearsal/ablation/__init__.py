"""What still holds when a layer does not: a corpus of attacks, played with every layer on and with each one off."""
