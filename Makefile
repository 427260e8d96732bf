# Everything happens in .venv, without root. `make` lists the targets; all paths are relative, so that the checkout may
# lie anywhere, in a path with spaces too.

PYTHON ?= python3
# Tests run in this many processes, each on one thread.
JOBS ?= 2

VENV := .venv/bin/python
STAMP := .venv/installed

# Installed without its dependencies: PyAudio, which only live playback needs, does not build without PortAudio.
SOUND_FONT_PLAYER := tinysoundfont==0.3.7
# The same: only the weights in them are read; what they need to run (webrtcvad, TensorFlow 1) is not needed.
WEIGHTS_ONLY := resemblyzer==0.1.4 dpam==0.0.4

# Nothing may be imported from the checkout by way of the current folder: what is tested is the package.
export PYTHONSAFEPATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help .venv bench bench-neural bench-bassnet bench-bassnet-small study study-quick study-full speed reliability docs readme test test-slow lint types format constraints clean moved

help: ## list the targets
	@sed -n 's/^\([a-z.-]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r target does; do \
		printf '%-20s%s\n' "$$target" "$$does"; done

.venv: $(STAMP) ## install the suite and what its tests need into .venv (again only if something changed)

bench: $(STAMP) ## rank the distances of the paper's Table 1 beside the published values (runs/bench)
	$(VENV) -m tonedeaf.harnesses.table1 --out runs/bench

bench-neural: $(STAMP) ## rank the neural distances whose weights are here (runs/bench-neural; 10 minutes on 2 cores)
	$(VENV) -m tonedeaf.harnesses.bench_neural --out runs/bench-neural

# The training comparison: BassNet (tiny) on 24 additive songs, with every one of these losses in the place of what it
# replaces. Stopped at any moment, it goes on where it was.
STUDY_LOSSES := spectrogram log_spectrogram mel mfcc mss log_mss mss_revisited ddsp_mss log_spectral_transport \
	harmonic_comb_transport tonedeaf crepe_tiny
STUDY_SUM := --loss "tonedeaf + 0.2*log_mss"
STUDY_COMB_SUM := --loss "harmonic_comb_transport + 0.2*log_mss"
STUDY_WELLS := --loss "tonedeaf[well=1]" --loss "harmonic_comb_transport[well=1]"
STUDY_QUICK_LOSSES := spectrogram mss log_spectral_transport tonedeaf
STUDY := OMP_NUM_THREADS=1 .venv/bin/tonedeaf swap --data runs/study-data --held-out runs/study-held-out --workers $(JOBS)
STUDY_SONGS := OMP_NUM_THREADS=1 .venv/bin/tonedeaf data A1 --renderer additive --workers $(JOBS)
STUDY_DATA := $(STUDY_SONGS) --songs 24 --out runs/study-data
STUDY_HELD_OUT := $(STUDY_SONGS) --songs 8 --seed 1 --out runs/study-held-out

study: $(STAMP) ## does a loss that ranks well train well? 16 losses, 4 paths, 3 seeds (runs/study; resumable, 5 hours on 2 cores)
	$(STUDY_DATA)
	$(STUDY_HELD_OUT)
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_SUM) $(STUDY_WELLS) --condition audio-only --path marginal \
		--out runs/study
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_COMB_SUM) $(STUDY_WELLS) --condition audio-only --out runs/study
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_SUM) --condition replace --segments 12 \
		--top 4 --bottom 2 --out runs/study
	$(STUDY) --loss log_mss --condition replace --segments 12 --steps 1000 --trials 0 --out runs/study
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_SUM) --condition audio-only --path soft --steps 400 \
		--out runs/study

study-quick: $(STAMP) ## the same with 4 losses and 1 seed, audio-only (runs/study-quick; 20 minutes on 2 cores)
	$(STUDY_DATA)
	$(STUDY_HELD_OUT)
	$(STUDY) $(addprefix --loss ,$(STUDY_QUICK_LOSSES)) --condition audio-only --seeds 1 --trials 50 --out runs/study-quick

study-full: $(STAMP) ## the same as study, every loss in both conditions
	$(STUDY_DATA)
	$(STUDY_HELD_OUT)
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_SUM) $(STUDY_WELLS) --condition audio-only --path marginal \
		--out runs/study
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_SUM) --condition audio-only --path soft --steps 400 \
		--out runs/study
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_COMB_SUM) $(STUDY_WELLS) --condition audio-only --out runs/study
	$(STUDY) $(addprefix --loss ,$(STUDY_LOSSES)) $(STUDY_COMB_SUM) --condition replace --segments 12 --out runs/study

bench-bassnet: $(STAMP) ## train and judge BassNet's tiny preset on A1 to A4, 3 seeds, and its ablation (runs/bench-bassnet; 1½ hours)
	$(VENV) -m tonedeaf.harnesses.bench_bassnet --out runs/bench-bassnet

bench-bassnet-small: $(STAMP) ## the same of the preset small on A1, from a sound font (runs/bench-bassnet; an hour and a half on one core)
	$(VENV) -m tonedeaf.harnesses.bench_bassnet --preset small --dataset A1 --seed 0 --songs 48 --renderer fluidsynth \
		--out runs/bench-bassnet

speed: $(STAMP) ## measure how fast everything is, beside its peers (results/published/speed.md; nothing else may run)
	@mkdir -p build
	$(VENV) -m pytest benchmarks/speed -o python_files='*.py' -m '' -W ignore -q --benchmark-json=build/speed.json
	$(VENV) benchmarks/speed/publish.py build/speed.json

reliability: $(STAMP) ## crowds, kills, a full disk, fuzzing: count what survives (docs/reliability.md; 15 minutes on 2 cores)
	$(VENV) benchmarks/reliability/run.py

readme: $(STAMP) ## rewrite tables, figures and report of README.md and results/published from registry and records
	OMP_NUM_THREADS=1 .venv/bin/tonedeaf publish --records results/published --out results/published \
		--page README.md --page docs/which-loss.md --page docs/bassnet.md

docs: $(STAMP) ## build the documentation's site, with the report (build/site)
	NO_MKDOCS_2_WARNING=1 $(VENV) -m mkdocs build --strict

test: lint types ## check style and types, then run the tests
	OMP_NUM_THREADS=1 $(VENV) -m pytest -n $(JOBS) --dist worksteal

test-slow: $(STAMP) ## run the tests that take minutes
	$(VENV) -m pytest -m slow

lint: $(STAMP) ## check style and formatting
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .

types: $(STAMP) ## check types
	$(VENV) -m pyright

format: $(STAMP) ## put the code into shape
	$(VENV) -m ruff check --fix .
	$(VENV) -m ruff format .

clean: ## remove .venv, caches and build products (never runs/)
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .benchmarks

# The stamp holds the folder it was installed for. It is missing after an interrupted installation, and wrong after the
# checkout was moved or copied: then .venv is made anew, since a half-installed package looks installed to pip.
ifneq ($(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$$(pwd -P)" ] || echo moved),)
$(STAMP): moved
endif
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "error: $(PYTHON) must be Python 3.11 or later; name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "error: $(PYTHON) lacks ensurepip; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@[ "$$(cat $@ 2>/dev/null)" = "$$(pwd -P)" ] || { rm -rf .venv && $(PYTHON) -m venv .venv; }
	@rm -f $@
	@echo "installing into .venv: a minute or more, since torch is large"
	@$(VENV) -m pip install -qq -c constraints.txt pip setuptools wheel
	@$(VENV) -m pip install -qq --no-deps --no-build-isolation $(SOUND_FONT_PLAYER) $(WEIGHTS_ONLY)
	@$(VENV) -m pip install -qq -c constraints.txt --no-build-isolation -e ".[dev]"
	@mkdir -p .venv/typing && ln -sfn ../.. .venv/typing/tonedeaf
	@pwd -P > $@

# The two that are chosen; the rest follows from them.
constraints: ## resolve constraints.txt anew
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install -qq --upgrade pip setuptools wheel
	build/constraints/bin/python -m pip install -qq torch==2.13.0 torchaudio==2.11.0 -e ".[dev]"
	{ echo '# What the tests run with; made by `make constraints`. pyproject.toml sets only floors.'; \
		build/constraints/bin/python -m pip freeze --all --exclude-editable | sed 's/+cpu$$//'; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints
