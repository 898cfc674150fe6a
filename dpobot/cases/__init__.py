"""Cases: what may happen to one, by when it must be answered, who decides; one request is one transaction."""
