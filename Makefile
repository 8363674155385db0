PYTHON := $(shell command -v python3.11 || command -v python3 || echo python3)
INSTALL := $(PYTHON) tagger/local/install.py
COMPILE = build/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate \
	--python-version 3.11 --custom-compile-command 'make requirements'

TRANSLATED = de es fr ar

# A test run starts many processes; none of them should compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run restore test dev readers check access mutants bench load-test fault-test pictures messages lint requirements

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run:  ## the whole site on this machine, until Ctrl-C; PORT (8000) and TAGGER_HOME (var) choose where
	@$(INSTALL) local
	@exec .venv/bin/python -m tagger.local run

restore:  ## a backup (FROM=folder) into the home of `make run`; put the newest copy of its keys there first
	@$(INSTALL) local
	@exec .venv/bin/python -m tagger.local restore "$(FROM)"

test:  ## all tests; ARGS="-k consent" passes words on to pytest
	@$(MAKE) --no-print-directory -j2 dev readers
	@exec .venv/bin/python -m pytest -n $(or $(PROCESSES),3) --dist loadfile --no-loadscope-reorder $(ARGS)

dev:  ## what the tests need, into .venv
	@$(INSTALL) dev

readers:  ## what reads training formats at their users', into build/readers, for tests/readers
	@$(INSTALL) readers

check:  ## the daily loop: style, types, contracts, and all tests that need no browser and no running site
	@$(INSTALL) dev
	@exec .venv/bin/python -m pytest -n $(or $(PROCESSES),2) --dist worksteal --quick $(ARGS)

access:  ## axe on every page in each language, theme and size of text; LOOKS=by-turns takes one look a page
	@$(INSTALL) dev
	@exec .venv/bin/python -m pytest -n $(or $(PROCESSES),2) tests/whole_site/test_browser_access.py -k no_page_has --looks $(or $(LOOKS),every)

mutants:  ## each promise's test turns red when the line that keeps the promise is gone
	@$(INSTALL) dev
	@exec .venv/bin/python -m tests.support.mutants

bench:  ## figures beside peers and floors, in one run; ARGS="labels settling" chooses parts, CROWD_DATA the real crowds, ROTATION_PEOPLE a larger site
	@$(INSTALL) bench
	@exec .venv/bin/python -m bench $(ARGS)

load-test:  ## answers a second and what one costs, beside the floor; TASKS (10000), USERS (8), SECONDS (30)
	@$(INSTALL) dev
	@exec .venv/bin/python -m bench.load --tasks $(or $(TASKS),10000) --users $(or $(USERS),8) --seconds $(or $(SECONDS),30)

fault-test:  ## a running site is broken each second, and loses nothing; SECONDS (60), SEED (1)
	@$(INSTALL) dev
	@exec .venv/bin/python -m bench.faults --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

pictures:  ## every page as a telephone and a desk show it, into docs/pictures; LOOKS (kept, or every: into build), ONLY (all)
	@$(INSTALL) dev
	@exec .venv/bin/python -m tests.support.pictures --looks $(or $(LOOKS),kept) $(if $(ONLY),--only $(ONLY))

messages:  ## collect the pages' texts for translators, and compile the translations; LANGUAGES (all)
	@$(INSTALL) dev
	@.venv/bin/python manage.py makemessages $(addprefix -l ,$(or $(LANGUAGES),$(TRANSLATED))) --no-obsolete --no-wrap \
		--add-location file $(addprefix -i ,'tests/*' 'bench/*' 'build/*' 'var/*' '.venv/*' 'docs/*')
	@sed -i -E '/^"(POT-Creation-Date|Report-Msgid-Bugs-To):/d' tagger/locale/*/LC_MESSAGES/django.po
	@.venv/bin/python manage.py compilemessages -i .venv $(addprefix -l ,$(or $(LANGUAGES),$(TRANSLATED)))

lint:  ## style, imports and types
	@$(INSTALL) dev
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/lint-imports
	@.venv/bin/python -m mypy

requirements:  ## work out the five hashed requirements files anew from pyproject.toml
	@test -x build/uv/bin/uv || { $(PYTHON) -m venv build/uv && build/uv/bin/python -m pip install --quiet uv; }
	@$(COMPILE) pyproject.toml --output-file requirements.txt
	@$(COMPILE) pyproject.toml --constraints requirements.txt --extra local --output-file requirements/local.txt
	@$(COMPILE) pyproject.toml --constraints requirements.txt --extra local --extra dev --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --constraints requirements/dev.txt --extra local --extra dev --extra bench \
		--output-file requirements/bench.txt
	@$(COMPILE) --group readers --output-file requirements/readers.txt
