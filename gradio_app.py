"""The web UI and the REST service, as `charpipe serve` starts them, with the same options."""

from __future__ import annotations

import sys

from character_pipeline.cli.main import run

if __name__ == "__main__":
    sys.argv[1:1] = ["serve"]
    run()
