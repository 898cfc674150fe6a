"""What erases at a Synapse; it shares no code with `homeserver.verifying`."""
