# SPDX-License-Identifier: MIT
# Short names for what Meson and Ninja do. Each build has a folder of its own.
PREFIX ?= /usr/local
INTO = $(DESTDIR)$(PREFIX)
# Where zsh looks for completions: Debian's packages have a folder of their own.
ZSH ?= site-functions
BASH_COMPLETION = $(INTO)/share/bash-completion/completions/docket
ZSH_COMPLETION = $(INTO)/share/zsh/$(ZSH)/_docket
FISH_COMPLETION = $(INTO)/share/fish/vendor_completions.d/docket.fish
SOURCES = $(shell git ls-files 'src/*.[ch]' 'tests/*.[ch]')
SCRIPTS = $(shell git ls-files script .ci 'examples/*.sh')
# Python keeps the compiled test modules, even if the environment tells it to keep none.
PYTEST = DOCKET_PROGRAM=build-quick/docket PYTHONDONTWRITEBYTECODE= \
	PYTHONPYCACHEPREFIX=build-quick/pycache /usr/bin/python3 -m pytest --quiet

build: build/build.ninja
	@ninja -C build --quiet

run: build
	@exec script/run

# For use while you change something, on a plain build: quick takes less than a minute; check runs a part of
# the API suite, such as T=lists or T=lists/test_list_pages.py, or all of it.
quick: build-quick/build.ninja
	@ninja -C build-quick --quiet
	@tools/check-layers
	@nice meson test -C build-quick --no-rebuild --num-processes 1 --quiet --print-errorlogs \
		--no-suite slow >build-quick/units.txt 2>&1 & units=$$!; \
	$(PYTEST) -n 3 -m 'not slow' --databases=sqlite tests/api; status=$$?; \
	wait $$units || { cat build-quick/units.txt; exit 1; }; exit $$status

check: build-quick/build.ninja
	@ninja -C build-quick --quiet
	@$(PYTEST) -n 3 $(addprefix tests/api/,$(or $(T),.))

test: build-gcc/build.ninja
	@ninja -C build-gcc --quiet
	@script/check build-gcc

# gcc, clang and the thread sanitizer. The first runs the short forms of the long proofs. The thread sanitizer
# runs most of them as well, because kills and load show races. All time zones, two minutes of random overload,
# 20,000 requests that are drawn from the OpenAPI document and testssl.sh come last.
test-all: test build-clang/build.ninja build-thread/build.ninja
	@ninja -C build-clang --quiet
	@script/check build-clang \
		'proof_kills or proof_soak or proof_lists or proof_restarts or proof_overload or proof_alerts or proof_properties or proof_backups or proof_replica'
	@ninja -C build-thread --quiet
	@script/check build-thread 'proof_lists or proof_properties'
	@$(MAKE) --no-print-directory proof-zones
	@$(MAKE) --no-print-directory prism
	@$(MAKE) --no-print-directory soak MINUTES=2
	@$(MAKE) --no-print-directory proof-properties
	@$(MAKE) --no-print-directory proof-testssl

# Shows the answers of the API suite on SQLite to Prism, which compares them with the OpenAPI document.
prism: build-quick/build.ninja
	@ninja -C build-quick --quiet
	@$(PYTEST) -n 3 --databases=sqlite --prism tests/api

# Builds the Debian package into build-deb/ and checks it with lintian.
deb:
	@script/bootstrap deb
	@script/deb

# The package on a bare system of each version of Debian, as root: built, installed, used, upgraded, purged.
check-deb:
	@script/bootstrap fresh
	@script/check-deb bookworm
	@script/check-deb trixie

# Both commands of the README, on a bare system of each version of Debian, as root.
check-fresh:
	@script/bootstrap fresh
	@script/check-fresh bookworm
	@script/check-fresh trixie

# Long proofs, on the plain build; the suite runs each in a short form. N is the number of kills of a test, the
# seconds of its load, its seeds of random queries, its restarts with 500 creates each, its seconds of random
# overload (soak takes minutes of that), the alerts that two processes send, the requests that are drawn from the
# OpenAPI document for each database, the backups of 50,000 tasks under load, the lost folders that are restored
# from a replica, or the kinds of certificates with which testssl.sh looks at docket.
proof-kills: N ?= 50
proof-soak: N ?= 60
proof-lists: N ?= 200
proof-restarts: N ?= 20
proof-overload: N ?= 60
proof-alerts: N ?= 2000
proof-properties: N ?= 20000
proof-backups: N ?= 97
proof-replica: N ?= 200
proof-testssl: N ?= 2
proof-kills proof-soak proof-lists proof-restarts proof-overload proof-alerts proof-properties proof-backups proof-replica proof-testssl: build
	DOCKET_PROOF_N='$(N)' DOCKET_PROGRAM=build/docket /usr/bin/python3 -m pytest --quiet -n 2 \
		-m '$(subst -,_,$@)' tests/api

# Every time zone, for every hour of 2024 to 2038.
proof-zones: build-quick/build.ninja
	@ninja -C build-quick --quiet
	@tests/unit/compare_zones.py build-quick/tests/unit/print_zones

soak: MINUTES ?= 45
soak:
	@$(MAKE) --no-print-directory proof-overload N=$$(($(MINUTES) * 60))

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

# Compares docket with what a user might write instead, with the limits of its libraries, and with pgbench;
# bench/compare.py says how.
bench: build bench-tools
	@ninja -C build --quiet limits
	@bench/compare.py

# Measures every list in a large account; bench/queries.py says what that needs.
bench-queries: build
	@bench/queries.py

# Measures docket over PostgreSQL, beside pgbench; bench/postgres.py says what that needs.
bench-postgres: build bench-tools
	@bench/postgres.py

# Measures what other clients get while one account sends more than can be done.
bench-overload: build bench-tools
	@bench/overload.py

# Measures what --replicate-to costs; bench/replica.py says how.
bench-replica: build bench-tools
	@bench/replica.py

# The pictures of docs/operate.md: docket top and the dashboard, under load.
pictures: build
	@script/bootstrap bench
	@tools/picture-top.py docs/top.svg
	@tools/picture-dashboard.py docs/dashboard.png

bench-sizing: build
	@bench/sizing.py

bench-tools:
	@script/bootstrap bench

lint: build-clang/build.ninja
	@ninja -C build-clang --quiet
	clang-format --dry-run -Werror $(SOURCES)
	printf '%s\n' $(filter %.c,$(SOURCES)) | xargs -P 2 -n 4 clang-tidy --quiet -p build-clang
	shellcheck $(SCRIPTS)
	tools/check-layers

# Draws the includes between folders for ARCHITECTURE.md.
layers: tools
	tools/draw-layers >docs/layers.svg

# Writes the program's commands and options into the pages of man/.
man: build
	tools/man-tables.py build/docket

# Writes the table of metrics into docs/operate.md.
metrics: build
	tools/metrics-table.py build/docket

# Writes the tables of docs/api.md.
reference: build
	tools/api-tables.py build/docket

# For a release: also writes docs/openapi-v1.json, whose promises later versions keep.
release-document: build
	tools/api-tables.py build/docket --release

format:
	clang-format -i $(SOURCES)

install: build
	@ninja -C build --quiet completions
	install -D build/docket '$(INTO)/bin/docket'
	install -D -m 644 man/docket.1 '$(INTO)/share/man/man1/docket.1'
	install -D -m 644 man/docket.conf.5 '$(INTO)/share/man/man5/docket.conf.5'
	install -D -m 644 build/docket.bash '$(BASH_COMPLETION)'
	install -D -m 644 build/docket.zsh '$(ZSH_COMPLETION)'
	install -D -m 644 build/docket.fish '$(FISH_COMPLETION)'

uninstall:
	rm -f '$(INTO)/bin/docket' '$(INTO)/share/man/man1/docket.1' '$(INTO)/share/man/man5/docket.conf.5'
	rm -f '$(BASH_COMPLETION)' '$(ZSH_COMPLETION)' '$(FISH_COMPLETION)'

clean:
	rm -rf build build-quick build-gcc build-clang build-thread build-deb build-npm build-peer .pytest_cache

# Measures how fast alerts go out, beside a plain libcurl loop, and what many waiting alerts cost a create.
bench-mail: build
	@bench/mail.py
	@bench/waiting.py

.PHONY: build run quick check test test-all prism deb check-deb check-fresh proof-kills proof-soak proof-lists proof-restarts proof-overload proof-alerts proof-properties proof-backups proof-replica proof-testssl proof-zones soak tools bench bench-queries bench-postgres bench-overload bench-mail bench-replica bench-sizing pictures bench-tools lint layers man metrics reference release-document format install uninstall clean
