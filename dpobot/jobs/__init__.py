"""Stage 4: what the jobs do. The only place where cases, homeserver, archive and delivery meet."""
