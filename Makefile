# One obvious command for each. Uses .venv if there is one, else the python on the path.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python)

.PHONY: lint test nightly bench count pages site

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest

nightly:
	$(PYTHON) -m pytest --nightly

bench:
	$(PYTHON) benchmarks/loop.py

count:
	$(PYTHON) benchmarks/count.py --write

pages:
	$(PYTHON) benchmarks/pages.py --write

site:
	$(PYTHON) benchmarks/website.py
