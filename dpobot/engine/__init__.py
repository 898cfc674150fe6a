"""How jobs survive: the port, the journal of fenced steps, and who runs them. What a job does lives in ``jobs``."""
