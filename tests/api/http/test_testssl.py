"""What testssl.sh finds. It takes minutes, so only make proof-testssl runs it."""
import json
import subprocess

import pytest

import proofs
from ca import CA

NAME = "acme.viewcases.com"
FOUND = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL")
# What it may find, and why.
EXPECTED = {
    "engine_problem": "it says that its own OpenSSL has no GOST",
    "cert_revocation": "the tests' authority has neither a CRL nor OCSP",
    "cert_chain_of_trust": "it is an authority of the tests' own",
    "cert_trust": "the same",
    "DNS_CAArecord": "the name is in no DNS",
    "security_headers": "they protect pages, and docket answers with JSON only",
}
# What it must have looked at, so that an empty report is no success.
LOOKED_AT = {"TLS1_2": "offered", "TLS1_3": "offered", "SSLv3": "not offered", "TLS1": "not offered",
             "TLS1_1": "not offered", "heartbleed": "not vulnerable", "ROBOT": "not vulnerable",
             "ticketbleed": "not vulnerable", "secure_client_renego": "not vulnerable",
             "LUCKY13": "not vulnerable", "HSTS_time": "365 days",
             "TLS_session_ticket": "valid for 21600 seconds"}


@proofs.TESTSSL
@pytest.mark.parametrize("kind", ["ec", "rsa"][:proofs.size(0)])
def test_it_finds_nothing(make_server, tmp_path, kind):
    ca, report = CA(tmp_path / "ca"), tmp_path / "report.json"
    chain, key = ca.make("acme", NAME, kind=kind, days=200)
    server = make_server(options=["--tls-cert", chain, "--tls-key", key])
    done = subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--ip", "127.0.0.1",
         "--add-ca", ca.certificate, "--jsonfile", report, f"https://{NAME}:{server.port}/"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=1700, check=False)
    findings = json.loads(report.read_text())
    bad = [(found["severity"], found["id"], found["finding"]) for found in findings
           if found["severity"] in FOUND and found["id"] not in EXPECTED]
    assert bad == [], done.stdout.decode(errors="replace")
    said = {found["id"]: found["finding"] for found in findings}
    assert {name: said.get(name) for name, words in LOOKED_AT.items()
            if not said.get(name, "").startswith(words)} == {}
    assert server.running()
