"""`python -m character_pipeline` is `charpipe`."""

from character_pipeline.cli.main import run

run()
