"""Where data comes from: one module a kind of source, each filling relations that landing checks."""
