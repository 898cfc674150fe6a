"""Stage 1: a message comes in, is ours before it is acted on, and gets its answer."""
