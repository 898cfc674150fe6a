"""One module a command that any person may use; `registry.discover` finds them."""
