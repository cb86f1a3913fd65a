"""The faces of the pipeline: a REST service, a web UI, and what watches them. No logic of its own."""
