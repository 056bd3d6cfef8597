"""Where lists go: one module a kind of destination."""
