"""The way out by HTTPS."""
