"""The command line: one small file a command. Data goes to stdout, progress and messages to stderr."""
