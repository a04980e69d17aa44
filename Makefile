# The only entry: `make help`. Needs Python 3.11 to 3.13, make and git; all else is set up in .venv.
PYTHON ?= python3
export JUPYTER_PREFER_ENV_PATH = 1

py := .venv/bin/python
# uv, where it is installed, does what pip does, in less time.
uv := $(shell command -v uv)
pip := $(if $(uv),$(uv) pip install --quiet --python $(py),$(py) -m pip install --quiet \
	--disable-pip-version-check) --constraint constraints.txt
# Two workers on two cores: threads that wait for others must not spin in their way.
patient := OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
pytest := $(patient) $(py) -m pytest -q -n 2
needs_no_book := --doctest-modules tests camlib camcourse \
	--ignore=tests/site --ignore=tests/lab
course := tests/camcourse/grading tests/assignments
together := --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync)
nbval := -p tests.book.compare_pictures --nbval --nbval-current-env --nbval-cell-timeout 300 --nbval-sanitize-with tooling/nbval.cfg
# What PyTorch, oneDNN and MKL compute with on older processors.
kernels := ATEN_CPU_CAPABILITY=avx2,ONEDNN_MAX_CPU_ISA=AVX2,MKL_ENABLE_INSTRUCTIONS=AVX2 \
	ATEN_CPU_CAPABILITY=default,ONEDNN_MAX_CPU_ISA=SSE41,MKL_ENABLE_INSTRUCTIONS=SSE4_2 OMP_NUM_THREADS=1
browser := CAMLIB_BROWSER="$$($(py) -m tooling.browser)" && export CAMLIB_BROWSER
site := _build/html/index.html
pdf := _build/html/_static/class-activation-maps.pdf
book_files := $(shell find book camlib camcourse/checks camcourse/quizzes tooling -type f -not -path '*/__pycache__/*' \
	-not -path '*/.ipynb_checkpoints/*') _config.yml _toc.yml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book pdf serve lab test quick lint code unit course faults class chapters portability pages widgets bench zoo format constraints clean distclean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

book: _build/.pdf ## build the book, every chapter executed
	@echo "The book is built: $(CURDIR)/$(site)   (make serve shows it)"

pdf: _build/.pdf ## the same book as one file to print
	@echo "The book to print: $(CURDIR)/$(pdf)"

serve: _build/.book ## show the built book in a browser on this machine
	@$(py) -m tooling.serve

lab: .venv/.ready ## open the chapters in JupyterLab
	@$(py) -m tooling.lab

# One after the other, also under `make -j`: each stage uses what the one before has proven. But the
# sandbox and JupyterLab wait so often that they cost less beside the building and testing of pages.
test: .venv/.ready ## check everything: code, chapters, assignments, the built pages, JupyterLab
	@rm -rf _build/reports
	@$(MAKE) --no-print-directory $(together) lint _web/network-fingerprint
	@$(MAKE) --no-print-directory code
	@$(MAKE) --no-print-directory chapters
	@$(MAKE) --no-print-directory $(together) faults _build/.pdf
	@$(MAKE) --no-print-directory $(together) pages widgets
	@$(py) -m tooling.summary _build/reports

quick: .venv/.ready ## lint, and the unit tests beside what has changed since the last commit
	@$(MAKE) --no-print-directory lint
	@$(browser) && $(patient) $(py) -m tooling.beside

lint: .venv/.ready ## style, types, layers, spelling, workflows
	@$(py) -m ruff check --quiet .
	@$(py) -m ruff format --quiet --check .
	@$(py) -m tooling.notebooks check
	@$(py) -m tooling.reading
	@$(py) -m mypy
	@.venv/bin/lint-imports
	@.venv/bin/codespell
	@.venv/bin/zizmor --offline --quiet .github/workflows
	@echo "lint: clean"

# What unit and course run, in one run.
code: .venv/.ready
	@$(py) -m tooling.bubblewrap
	@$(browser) && $(pytest) --junitxml=_build/reports/code.xml $(needs_no_book)

unit: .venv/.ready ## only the tests that need neither the built book nor the sandbox
	@$(browser) && $(pytest) $(needs_no_book) $(addprefix --ignore=,$(course))

course: .venv/.ready ## only the assignments, and the grader with several dozen hostile submissions
	@$(py) -m tooling.bubblewrap
	@$(browser) && $(pytest) $(course)
	@$(MAKE) --no-print-directory faults

faults: .venv/.ready ## grade hostile submissions: a table of scores, fair scores and statuses
	@$(py) -m tooling.bubblewrap
	@$(py) -m tests.camcourse.grading.hostile

class: .venv/.ready ## grade a class of 500, with a kill halfway, and once more
	@$(py) -m tooling.bubblewrap
	@$(py) -m benchmarks.classroom

chapters: .venv/.ready ## only run the chapters again and compare what they print
	@notebooks="$$($(py) -m tooling.notebooks list)" && \
	$(pytest) --dist loadfile --junitxml=_build/reports/chapters.xml $(nbval) -p tests.book.keep_outputs $$notebooks

portability: .venv/.ready ## run chapters with other kernels and one thread (CHAPTERS="06-... 08-...": only those)
	@notebooks="$$($(py) -m tooling.notebooks list $(CHAPTERS))" && for kernels in $(kernels); do \
		echo "portability: $$kernels" && \
		env $(patient) $$(echo $$kernels | tr , ' ') $(py) -m pytest -q -n 2 --dist loadfile \
			$(nbval) $$notebooks || exit 1; done

pages: _build/.pdf ## only the tests of the built book: its pages in a browser
	@$(browser) && $(pytest) --dist loadscope --junitxml=_build/reports/pages.xml tests/site

widgets: _web/fingerprint .venv/.ready ## only the explorers in JupyterLab, worked by hand and from Python
	@$(browser) && $(py) -m pytest -q --junitxml=_build/reports/widgets.xml tests/lab

bench: .venv/.bench _build/.book ## speed against the bare forward pass and peers; what the pages cost
	@$(browser) && $(py) -m benchmarks

zoo: .venv/.ready ## try camlib on every classifier of torchvision, and write the book's page of it
	@$(py) -m tooling.zoo

format: _web/fingerprint .venv/.ready ## put code and notebooks into the one form that lint accepts, join the widgets' code
	@$(py) -m ruff check --quiet --fix .
	@$(py) -m ruff format --quiet .
	@$(py) -m tooling.notebooks format
	@$(py) -m tooling.sphinx_ext.explorers

constraints: .venv/.ready ## resolve the dependencies again and pin them (UPGRADE=--upgrade: to the newest)
	@$(py) -m tooling.constraints $(UPGRADE)

clean: ## remove everything built, keep the environment
	@rm -rf _build _web build dist camlib.egg-info .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis

distclean: clean ## remove the environment too
	@rm -rf .venv

# A CPU needs no CUDA: TORCH_INDEX=<address> names an index whose torch and torchvision have none.
.venv/.torch: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "The book needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
		echo "Name another one:  make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(py) || $(PYTHON) -m venv .venv
	@$(if $(TORCH_INDEX),echo "Installing torch from $(TORCH_INDEX) ..." && \
		$(pip) --index-url $(TORCH_INDEX) --no-deps torch torchvision)
	@touch $@

# Kernels talk to this machine only; without the setting each one warns that it does so in clear.
.venv/.ready: pyproject.toml constraints.txt .venv/.torch
	@echo "Installing into .venv with $(if $(uv),uv,pip) ($(if $(TORCH_INDEX),3,up to 7) GB the first time) ..."
	@$(pip) --editable ".[book,course,test,dev]"
	@mkdir -p .venv/etc/ipython && echo 'c.IPKernelApp.log_level = "ERROR"' \
		> .venv/etc/ipython/ipython_kernel_config.py
	@touch $@

.venv/.bench: .venv/.%: .venv/.ready
	@$(pip) --editable ".[$*]"
	@touch $@

# What the pages would else ask third parties for, fetched once by npm.
_web/fingerprint: tooling/web_assets.py $(wildcard tooling/web/*) | .venv/.ready
	@$(py) -m tooling.web_assets
	@touch $@

# The network as a file that browsers run, proven against PyTorch.
_web/network-fingerprint: tooling/browser_model.py $(shell find camlib/networks camlib/assets -type f \
	-not -path '*/__pycache__/*') camlib/photos.py constraints.txt _web/fingerprint
	@$(py) -m tooling.browser_model
	@touch $@

# Pages that were read before a failure would not warn again: then all are read again.
# A change of camlib empties the cache of executed chapters (tooling/sphinx_ext/settings.py).
_build/.book: $(book_files) _web/fingerprint _web/network-fingerprint .venv/.ready
	@$(patient) $(py) -m tooling.execution
	@.venv/bin/jupyter-book build . -n -W --keep-going -q || { rm -rf _build/.doctrees; exit 1; }
	@touch $@

_build/.pdf: _build/.book
	@$(browser) && $(py) -m tooling.pdf
	@touch $@
