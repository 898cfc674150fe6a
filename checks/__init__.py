"""What `make check` looks at beside the code: known vulnerabilities of its dependencies, and secrets in its files."""
