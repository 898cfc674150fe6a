"""The audit trail: append-only, hash-chained, without anything that people wrote."""
