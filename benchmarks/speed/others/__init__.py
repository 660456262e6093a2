"""Scripts that ask models with other tools, each in a process of its own and by itself."""
