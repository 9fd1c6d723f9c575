# SPDX-License-Identifier: MIT
# Short names for what Meson and Ninja do. A build is a folder; the sanitizers have their own.
PREFIX ?= /usr/local
INTO = $(DESTDIR)$(PREFIX)
SOURCES = $(shell git ls-files 'src/*.[ch]' 'tests/*.[ch]')
SCRIPTS = $(shell git ls-files script .ci)
# Its modules are compiled once and kept, also where Python is told to keep none.
PYTEST = DOCKET_PROGRAM=build-quick/docket PYTHONDONTWRITEBYTECODE= \
	PYTHONPYCACHEPREFIX=build-quick/pycache /usr/bin/python3 -m pytest --quiet

build: build/build.ninja
	@ninja -C build --quiet

run: build
	@exec script/run

# The loop of whoever changes something, on a plain build: what can be known within a minute, and any part
# of the API suite, as make check T=lists or T=lists/test_list_pages.py.
quick: build-quick/build.ninja
	@ninja -C build-quick --quiet
	@tools/check-layers
	@meson test -C build-quick --no-rebuild --quiet --print-errorlogs --no-suite slow
	@$(PYTEST) -n 3 -m 'not slow' --databases=sqlite tests/api

check: build-quick/build.ninja
	@ninja -C build-quick --quiet
	@$(PYTEST) -n 3 $(addprefix tests/api/,$(or $(T),.))

test: build-gcc/build.ninja
	@ninja -C build-gcc --quiet
	@script/check build-gcc

# gcc, clang and the thread sanitizer. The short forms of long proofs are in the first; kills and load
# also show races.
test-all: test build-clang/build.ninja build-thread/build.ninja
	@ninja -C build-clang --quiet
	@script/check build-clang 'proof_kills or proof_soak or proof_lists or proof_restarts'
	@ninja -C build-thread --quiet
	@script/check build-thread proof_lists

# Both of the README's commands on bare systems of both versions of Debian, as root.
check-fresh:
	@script/bootstrap fresh
	@script/check-fresh bookworm
	@script/check-fresh trixie

# Long proofs, on the plain build; the suite has each in short. N is the number of kills of a test, the
# seconds of its load, its seeds of random queries, or its restarts with 500 creates each.
proof-kills: N ?= 50
proof-soak: N ?= 60
proof-lists: N ?= 200
proof-restarts: N ?= 20
proof-kills proof-soak proof-lists proof-restarts: build
	DOCKET_PROOF_N='$(N)' DOCKET_PROGRAM=build/docket /usr/bin/python3 -m pytest --quiet -n 2 \
		-m '$(subst -,_,$@)' tests/api

build/build.ninja:
	@script/configure build -Dtests=disabled

build-quick/build.ninja:
	@script/configure build-quick -Dtests=enabled

build-gcc/build.ninja:
	@CC=gcc script/configure build-gcc -Dtests=enabled -Db_sanitize=address,undefined

build-clang/build.ninja: | tools
	@CC=clang script/configure build-clang -Dtests=enabled -Db_sanitize=address,undefined -Db_lundef=false

build-thread/build.ninja:
	@CC=gcc script/configure build-thread -Dtests=enabled -Db_sanitize=thread

tools:
	@script/bootstrap lint

# How fast lists are in a large account; bench/lists.py tells what it takes.
bench: build
	@bench/lists.py

# The same over PostgreSQL, beside pgbench; bench/postgres.py tells more.
bench-postgres: build
	@bench/postgres.py

lint: build-clang/build.ninja
	@ninja -C build-clang --quiet
	clang-format --dry-run -Werror $(SOURCES)
	printf '%s\n' $(filter %.c,$(SOURCES)) | xargs -P 2 -n 4 clang-tidy --quiet -p build-clang
	shellcheck $(SCRIPTS)
	tools/check-layers

# The drawing of ARCHITECTURE.md, from the includes.
layers: tools
	tools/draw-layers >docs/layers.svg

# The options in the pages of man/, from the program.
man: build
	tools/man-tables.py build/docket

format:
	clang-format -i $(SOURCES)

install: build
	install -D build/docket '$(INTO)/bin/docket'
	install -D -m 644 man/docket.1 '$(INTO)/share/man/man1/docket.1'
	install -D -m 644 man/docket.conf.5 '$(INTO)/share/man/man5/docket.conf.5'

uninstall:
	rm -f '$(INTO)/bin/docket' '$(INTO)/share/man/man1/docket.1' '$(INTO)/share/man/man5/docket.conf.5'

clean:
	rm -rf build build-quick build-gcc build-clang build-thread .pytest_cache

.PHONY: build run quick check test test-all check-fresh proof-kills proof-soak proof-lists proof-restarts tools bench bench-postgres lint layers man format install uninstall clean
