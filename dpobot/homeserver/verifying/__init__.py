"""What looks at a Synapse after an erasure; it shares no code with `homeserver.erasing`."""
