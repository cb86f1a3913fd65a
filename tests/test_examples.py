"""The notebooks run from top to bottom."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its tools
        import nbformat
        from nbclient import NotebookClient

        (tmp_path / "charpipe").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m character_pipeline "$@"\n')
        (tmp_path / "charpipe").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        notebook = nbformat.read(path, 4)  # type: ignore[no-untyped-call]
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    errors = [out for cell in notebook.cells for out in cell.get("outputs", ()) if out.output_type == "error"]
    assert not errors
