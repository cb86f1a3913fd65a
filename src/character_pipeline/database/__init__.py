"""The store: records, evidence, vectors of pictures, runs and their shards, errors; and what is read from it."""
