"""Runs every command and request of README and docs/ in a copy of this machine that is thrown away
afterwards. Each document is one session of a reader who types its blocks in order. A reader of
docs/ has already installed docket."""
import os
import re
import shlex
import subprocess

import pytest

import documents
import records
from harness import ADDRESS_PARTS, CODES, COMMAND_S, PROGRAM, ROOT, SANITIZER

# Commands that do not end: the reader leaves each running in a terminal of its own.
SERVES = re.compile(r"script/server$|(runuser -u \w+ -- )?docket serve ")
# Commands that other tests run: the suite does not run itself, and a restore needs a replica of some age.
# script/check-deb tries the package, and test_acme.py asks for certificates.
ELSEWHERE = {"script/test", "make deb", "apt-get install --yes ./build-deb/docket_*.deb",
             "runuser -u docket -- docket init --config /etc/docket.conf --email you@example.com",
             "systemctl enable --now docket", "docket check --data /srv/restored",
             "docket restore --from /mnt/replica --data /srv/restored",
             "docket restore --from /mnt/replica --at 2027-01-31T12:00:00Z --data /srv/restored-noon",
             "docket restore --from /mnt/replica --change main:1234 --data /srv/restored-1234"}
ACME = ("certbot ", "lego ", "docket account list --config /etc/docket.conf ")
RECORD = "\x1e"

# The reader's machine: servers that Debian's packages start when they are installed, a certificate,
# and the database server that the documents call db.example.com.
MACHINE = r"""
set -eu
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export CFLAGS='-O0 -g0' # compiles in a third of the time; other builds are optimized
printf 'fail-with-body\nsilent\nshow-error\n' >/root/.curlrc
# "service nginx reload" comes back before nginx listens anew.
printf 'retry = 30\nretry-delay = 1\nretry-connrefused\n' >>/root/.curlrc
printf 'APT::Get::Upgrade "false";\n' >/etc/apt/apt.conf.d/99no-upgrade
rm -rf /usr/local/bin/docket /srv/docket
mkdir -p /etc/ssl/docket /mnt/replica
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=example.com \
	-addext 'subjectAltName=DNS:example.com,DNS:*.example.com' -keyout privkey.pem \
	-out fullchain.pem 2>/dev/null
cp fullchain.pem privkey.pem /etc/ssl/docket
echo '127.0.0.1 localhost db.example.com first.example.com' >/etc/hosts
rm -rf /etc/postgresql/* /var/lib/postgresql/*
install -d -o postgres -g postgres -m 2775 /run/postgresql
version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
pg_createcluster "$version" main >/dev/null
sed -i '1i host all all 127.0.0.1/32 trust' "/etc/postgresql/$version/main/pg_hba.conf"
pg_ctlcluster "$version" main start
service nginx start >/dev/null
[ -z "$program" ] || install "$program" /usr/local/bin/docket
rm -rf data build

servers= log=0

stop_servers()
{
	for server in $servers; do
		kill $server
		wait $server || [ $? = 143 ] # runuser ends by the signal that it passes on
	done
	servers=
}

serve()
{
	log=$((log + 1))
	sh -c "exec $1" >/run/server-$log 2>&1 &
	servers="$servers $!"
	until grep -q '^listening on ' /run/server-$log; do
		kill -0 $! 2>/dev/null || { cat /run/server-$log; exit 1; }
		sleep 0.1
	done
	cat /run/server-$log
}

refused()
{
	if eval "$1"; then
		echo 'this was not refused'
		exit 1
	fi
}
"""


def session(text, program):
    """A shell script that types a document's commands, and for each the answer that the document
    shows. The servers of one block run at the same time; the next such block ends them. `program`
    is installed, unless ""."""
    script, shown = [f"program={shlex.quote(program)}", MACHINE], []
    for kind, block in documents.blocks(text):
        assert kind in documents.KINDS, f"a block is {kind!r}: it must be one of {documents.KINDS}"
        if kind in documents.ANSWERS:
            assert shown and shown[-1][1] is None, f"no command comes before this answer: {block}"
            shown[-1][1] = block
            if documents.is_refusal(block):
                script[-1] = f"refused {shlex.quote(script[-1])}"
        if kind != "sh":
            continue
        stop = "stop_servers"
        for command in documents.commands(block):
            if command in ELSEWHERE or command.startswith(ACME):
                continue
            script.append(f"printf '\\036$ %s\\n' {shlex.quote(command)}")
            if SERVES.match(command):
                script.append(f"{stop}; serve {shlex.quote(command)}")
                stop = ":"
            else:
                script.append(command)
            shown.append([command, None])
    return "\n".join([*script, "stop_servers", ""]), shown


def test_every_block_says_what_it_is():
    """The session would not run the commands of a block that is only indented."""
    for document in documents.documents():
        text = documents.FENCE.sub("", document.read_text("utf-8"))
        assert not re.search(r"^(    |```)", text, re.MULTILINE), document


@pytest.mark.parametrize("document", documents.pages(), ids=lambda document: document.name)
def test_every_link_leads_somewhere(document):
    """A link names a path in the repository, and a heading of the document there."""
    for link in documents.links(document.read_text("utf-8")):
        if re.match("https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in documents.anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("document", documents.pages(), ids=lambda document: document.name)
@pytest.mark.slow
def test_what_it_names_of_the_code_is_there(document):
    """Functions such as `call_read()`, and files such as `api/routes.c`."""
    text = document.read_text("utf-8")
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.[ch]"))
    functions = re.findall(r"\b(\w+)\(\)", text)
    files = re.findall(r"`((?:[\w-]+/)+[\w.-]+\.\w+)`", text)
    assert [name for name in functions if not re.search(rf"\b{name}\(", code)] == []
    assert [name for name in files
            if not (ROOT / name).exists() and not (ROOT / "src" / name).exists()
            and not (ROOT / "src" / name.split("/")[0] / "include" / name).exists()] == []


def test_the_reference_is_whole():
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    names = {*ADDRESS_PARTS, *CODES, "id", "created_at", "updated_at", "alert_sent_at"}
    for kind in records.KINDS:
        names |= {kind.path, kind.wrapper, *kind.least, *kind.rest, *kind.sorts}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


ANSWER = '{"id":7,…"status":"none","title":"A\u00a0b"}'


@pytest.mark.parametrize("answered, fits", [
    ('{"id":7,"due_on":null,"status":"none",\n "title":"A\u00a0b"}', True),
    ('{"id":71,"status":"none","title":"A\u00a0b"}', False),
    ('{"id":7,"status":"none","title":"B"}', False),
    ('{"status":"none","id":7,"title":"A\u00a0b"}', False),
])
def test_a_wrong_answer_is_found(answered, fits):
    assert documents.matches(ANSWER, answered) is fits


@pytest.mark.parametrize("answer, refusal", [
    ("HTTP/1.1 404 Not Found\n…", True),
    ("HTTP/1.1 201 Created\n…", False),
    ('{"detail":"…","status":422,…}', True),
    ('{"time":"…","status":200}', False),
    ('{"id":404,"status":"none"}', False),
])
def test_a_refusal_is_known(answer, refusal):
    assert documents.is_refusal(answer) is refusal


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED, the commands of the documents: a copy of"
                                              " the machine can only be made by root")
@pytest.mark.parametrize("document", [
    pytest.param(document, id=str(document.relative_to(ROOT)))
    for document in documents.documents() if "```sh" in document.read_text("utf-8")])
@pytest.mark.slow
def test_every_command_as_it_stands(document, tmp_path):
    script, shown = session(document.read_text("utf-8"),
                            PROGRAM if document.parent.name == "docs" else "")
    (tmp_path / "script").write_text(script, "utf-8")
    done = subprocess.run(["tests/api/documents/sandbox.sh", str(tmp_path / "script")], cwd=ROOT, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=5 * COMMAND_S, encoding="utf-8",
                          errors="replace")
    said = done.stdout.split(RECORD)[1:]
    assert done.returncode == 0, done.stdout[-6000:]
    assert [one.split("\n", 1)[0] for one in said] == ["$ " + command for command, _ in shown]
    assert not SANITIZER.search(done.stdout)
    for (command, answer), transcript in zip(shown, said):
        if answer:
            assert documents.matches(answer, transcript), f"{command} is shown to answer {answer}"
