"""What is asked: the schema of suite files, loading them, the cases they hold."""
