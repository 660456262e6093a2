"""Other environments: encodings, terminals, time zones, Windows paths, and the plugins of others beside this one."""
