"""From a spool of what was collected to ZIP volumes that a person can open, read and check (docs/archive.md)."""
