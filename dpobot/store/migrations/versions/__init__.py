"""One file for each step; their order is in ``down_revision``."""
