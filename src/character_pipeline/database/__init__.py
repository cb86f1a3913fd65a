"""The store: records, evidence, raw scores and embeddings, runs and their shards, errors; and what is read from it."""
