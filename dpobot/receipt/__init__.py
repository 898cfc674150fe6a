"""The signed receipt of an erasure: canonical JSON, its key, its code, and how it is checked."""
