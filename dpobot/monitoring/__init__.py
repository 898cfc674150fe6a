"""Whether the service is well: metrics and health over HTTP, and word to the service manager."""
