# `make run` and `make test` set up what they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# pip has no option for the lowest versions.
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-lowest test-newest lab notebooks figures explorer site \
	test-browser test-slurm bench scoreboard engine studies weights baselines address lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $(READY)

setup: $(READY)  ## make the environment, with pinned dependencies

run: $(READY)  ## train the default recipe: digits in about a minute
	$(BIN)/dcgan train --recipe fast
	@echo "Next: make lab opens the notebooks, which explain every step."

define CHECK
$(BIN)/ruff check .
$(BIN)/ruff format --check .
$(BIN)/lint-imports --no-logo
$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(MARKED)
endef

test: MARKED := -m "not slow"
test: $(READY)  ## lint, unit tests, pair check, notebooks
	$(CHECK)

test-slow: $(READY)  ## the tests that train for long
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m slow tests

# A bound is true when all of the above passes with it. Where a Python has no wheel of a bound
# (TensorFlow 2.18 on Python 3.13), the lowest version that has one.
.venv-lowest/.ready: RESOLUTION := lowest-direct
.venv-newest/.ready: RESOLUTION := highest
.venv-%/.ready: pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet $(UV)
	$(@D)/bin/uv pip install --quiet --python $(@D)/bin/python --resolution $(RESOLUTION) \
	  --only-binary :all: --editable '.[notebooks,dev]'
	@touch $@

test-lowest: BIN := .venv-lowest/bin
test-lowest: .venv-lowest/.ready  ## the same with the lowest versions that pyproject.toml allows
	$(CHECK)

test-newest: BIN := .venv-newest/bin
test-newest: .venv-newest/.ready  ## the same with the newest versions
	$(CHECK)

lab: $(READY)  ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

notebooks: $(READY)  ## rebuild and execute the notebooks that need it (ONLY=04: just that one)
	$(BIN)/python tools/notebooks.py build $(ONLY)

figures: $(READY)  ## make images/ again, from real runs
	$(BIN)/python tools/figures.py
	-$(BIN)/python tools/explorer.py picture

explorer: $(READY)  ## build the explorer's one file from the run that `make weights` left
	$(BIN)/python tools/explorer.py

$(VENV)/.site: $(READY)
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[site,browser]'
	@touch $@

site: $(VENV)/.site  ## build the site into build/site/
	$(BIN)/python tools/build_site.py

test-browser: site  ## drive notebooks, site and explorer in chromium
	$(BIN)/python -m pytest -o addopts= tests/browser

test-slurm: $(READY)  ## batch files on a private SLURM cluster (needs root), several devices
	$(BIN)/python -m pytest -rs tests/slurm/check_slurm.py tests/slurm/check_workers.py

bench: $(READY)  ## quality against seconds of training (BENCH="tutorial --seconds 900": others)
	$(BIN)/python benchmarks/bench.py $(or $(BENCH),fast small)

scoreboard: $(READY)  ## every recipe at 1, 5, 15 minutes and its end: many hours, may be stopped
	$(BIN)/python benchmarks/scoreboard.py fast grouped best hinge --seeds 0 1 2 --minutes 60
	$(BIN)/python benchmarks/scoreboard.py conditional explorer spectral wgan_gp smooth vanilla --minutes 20
	$(BIN)/python benchmarks/scoreboard.py tutorial --seeds 0 1 2
	$(BIN)/python benchmarks/scoreboard.py balanced keras --epochs 50
	$(BIN)/python benchmarks/scoreboard.py tutorial --epochs 50
	$(BIN)/python benchmarks/scoreboard.py schedule --minutes 360
	$(BIN)/python benchmarks/scoreboard_report.py

engine: $(READY)  ## images a second against a plain loop; cost by batch size, width, images
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/cost.py

studies: $(READY)  ## the longer comparisons that notebooks 06 and 09 show (an hour and more)
	$(BIN)/python benchmarks/studies.py gan_vs_dcgan --seeds 0
	$(BIN)/python benchmarks/studies.py side_by_side --seeds 0
	$(BIN)/python benchmarks/studies.py ablations
	$(BIN)/python benchmarks/studies.py tricks

weights: $(READY)  ## train, score and publish the generators that come with the package
	for name in fast grouped conditional explorer best; do run=runs/published-$$name && \
	  $(BIN)/dcgan train --recipe $$name --data mnist --output $$run && \
	  $(BIN)/dcgan evaluate $$run && $(BIN)/dcgan evaluate $$run --evaluator second && \
	  $(BIN)/python tools/publish.py $$run || exit 1; done
	$(MAKE) explorer

baselines: $(READY)  ## measure again what real, blurred and noisy images score
	$(BIN)/python tools/evaluators.py baselines

address: $(READY)  ## write the repository's address everywhere (by default that of `origin`)
	$(BIN)/python tools/address.py write $(URL)

lock:  ## pin the newest versions that the bounds allow
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[notebooks,dev]' 'soupsieve<3'  # 3 needs 3.11.5
	$(BIN)/python -m pip freeze --exclude-editable > requirements.lock
	@touch $(READY)

clean:  ## remove the environment and caches (runs stay)
	rm -rf $(VENV) .venv-lowest .venv-newest .pytest_cache .ruff_cache .hypothesis *.egg-info
