"""Light heads on the vectors of a database, trained from the tags of its own texts."""
