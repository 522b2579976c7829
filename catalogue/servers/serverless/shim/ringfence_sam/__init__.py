"""The SAM CLI as Ringfence starts it: with the sandbox's own templates, and with the role its stacks work as."""
