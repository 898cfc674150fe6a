"""The look afterwards: what a Synapse still holds of a person after an erasure, asked and counted anew.

Nothing here is shared with `homeserver.erasing`: two answers to one question are worth more than one. By content, not
by what was called: an event holds content if anything stands in it that redaction would take away.
"""
