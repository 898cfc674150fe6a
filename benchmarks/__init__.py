"""Measurements on a real homeserver: speed and memory of the export beside its peers."""
