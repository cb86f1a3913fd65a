"""Engines: where the shards of a run are processed, and how a run begins, shows its progress, ends and resumes."""
