# Every target sets up what it needs in .venv; Python 3.11 or newer is all that must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= charpipe-output
export PIP_DISABLE_PIP_VERSION_CHECK := 1
INSTALL := $(BIN)/python -m pip install --quiet -c requirements.lock

.PHONY: demo test check bench clean

demo: $(VENV)/core  ## set up the light core and describe the bundled sample pictures
	$(BIN)/charpipe extract $(SAMPLE) --output $(OUT)

test: $(VENV)/all  ## everything, with all extras
	$(BIN)/python -m pytest -n 2

check: $(VENV)/all  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/all  ## speed, memory and accuracy, as the documentation quotes them
	$(BIN)/python benchmarks/text_extraction.py
	$(BIN)/python benchmarks/sample_accuracy.py
	$(BIN)/python benchmarks/picture_extraction.py
	$(BIN)/python benchmarks/picture_accuracy.py
	$(BIN)/python benchmarks/unfamiliar_pictures.py
	$(BIN)/python benchmarks/clip_speed.py
	$(BIN)/python benchmarks/identity.py
	$(BIN)/python benchmarks/serving.py

clean:
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache

SAMPLE := src/character_pipeline/sample/bundled

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: $(VENV)/bin/python pyproject.toml requirements.lock
	$(INSTALL) -e .
	@touch $@

$(VENV)/all: $(VENV)/bin/python pyproject.toml requirements.lock
	$(INSTALL) -e '.[all,dev]'
	@touch $@ $(VENV)/core
