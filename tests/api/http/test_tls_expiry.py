"""When certificates expire: in the log, in docket status and in the metrics."""
import re
import shutil
import signal
import subprocess
import time

import pytest

from ca import CA
from exposition import scrape
from harness import COMMAND_S, succeed
from test_status import status
from together import until

DAY = 86400
METRIC = "docket_certificate_expiry_timestamp_seconds"
EXPIRES = re.compile(r"docket: warning: (\S+): the certificate expires at (\S+), in (\d+) days?: "
                     r"renew it and send SIGHUP to docket\n")


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca") / "ca")


def serve(make_server, *pairs, **more):
    chains, keys = (",".join(map(str, files)) for files in zip(*pairs))
    return make_server(options=["--metrics", "127.0.0.1:0", "--tls-cert", chains, "--tls-key", keys], **more)


def warnings(server):
    return [line for line in server.stderr().splitlines() if "warning: " in line and "certificate" in line]


def end_of(pair):
    """When a certificate expires, as openssl says, in seconds since 1970."""
    said = subprocess.run(["openssl", "x509", "-in", pair[0], "-noout", "-enddate", "-dateopt", "iso_8601"],
                          check=True, capture_output=True, timeout=COMMAND_S, text=True).stdout
    date = said.strip().partition("=")[2].replace(" ", "T")
    return date, int(subprocess.run(["date", "-d", date, "+%s"], check=True, capture_output=True, text=True,
                                    timeout=COMMAND_S).stdout)


# In the log

@pytest.mark.parametrize("ago, days", [(15.5, None), (16.5, 13), (28.5, 1), (29.5, 0)])
def test_14_days_before(make_server, ca, ago, days):
    """Its 30 days began `ago` days ago."""
    pair = ca.make(f"ago-{ago}", "acme.viewcases.com", ago=ago)
    server = serve(make_server, pair)
    found = EXPIRES.findall(server.stderr())
    assert found == ([] if days is None else [(str(pair[0]), end_of(pair)[0], str(days))])
    assert ("in 1 day:" in server.stderr()) == (days == 1)
    assert len(warnings(server)) == len(found)


def test_one_that_is_not_valid_yet(make_server, ca):
    pair = ca.make("early", "acme.viewcases.com", ago=-2)
    said, = warnings(serve(make_server, pair))
    assert f"{pair[0]}: the certificate begins to be valid at 20" in said


def test_each_day_and_each_reload(make_server, ca, clock):
    pair = ca.make("daily", "acme.viewcases.com")
    end = end_of(pair)[1]
    clock.set(end // DAY * DAY - 15 * DAY - 10)
    server = serve(make_server, pair, env=clock.env)
    assert warnings(server) == []
    clock.set(end // DAY * DAY - 14 * DAY - 1)
    time.sleep(1.5)
    assert warnings(server) == []
    for told, left in enumerate((13, 12, 11), 1):
        clock.set(end // DAY * DAY - left * DAY)
        until(lambda: len(warnings(server)) == told)
        assert f"in {left} days" in warnings(server)[-1]
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(warnings(server)) == told + 1)
    clock.set(end + 1)
    until(lambda: len(warnings(server)) == told + 2)
    assert "the certificate expired at" in warnings(server)[-1]
    clock.set(end + 2)
    succeed("status", "--data", server.data)
    assert len(warnings(server)) == told + 2


def test_a_new_one_ends_the_warnings(make_server, ca, tmp_path):
    pair = tmp_path / "chain.pem", tmp_path / "key.pem"
    for new, old in zip(ca.make("old", "acme.viewcases.com", ago=20), pair):
        shutil.copy(new, old)
    server = serve(make_server, pair)
    assert len(warnings(server)) == 1
    for new, old in zip(ca.make("new", "acme.viewcases.com"), pair):
        shutil.copy(new, old)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "were read again" in server.stderr())
    assert status(server)["certificates"][0]["valid_to"] == end_of(pair)[0]
    assert len(warnings(server)) == 1


# In docket status and in the metrics

def test_the_status_and_the_metrics(make_server, ca):
    pairs = [ca.make("one", "acme.viewcases.com", "*.viewcases.com", "IP:127.0.0.1", "IP:::1"),
             ca.make("over", "old.example.test", ago=40)]
    server = serve(make_server, *pairs)
    one, over = found = status(server)["certificates"]
    assert list(one) == ["file", "names", "valid_from", "valid_to", "expires_in_s"]
    assert [entry["file"] for entry in found] == [str(chain) for chain, _ in pairs]
    assert one["names"] == ["acme.viewcases.com", "*.viewcases.com", "127.0.0.1", "::1"]
    assert over["names"] == ["old.example.test"]
    assert [entry["valid_to"] for entry in found] == [end_of(pair)[0] for pair in pairs]
    assert 30 * DAY - 600 < one["expires_in_s"] <= 30 * DAY and over["expires_in_s"] < -9 * DAY
    samples = scrape(server)[METRIC]
    assert samples.by("file") == {str(pair[0]): end_of(pair)[1] for pair in pairs}


@pytest.mark.parametrize("size", [3, 5, 15, 17, 120])
def test_an_address_of_a_wrong_size(make_server, ca, size):
    """subjectAltName: the address, and the name "a"."""
    address = bytes([0x87, size]) + bytes([7] * size)
    value = bytes([0x30, len(address) + 3]) + address + bytes([0x82, 1]) + b"a"
    server = serve(make_server, ca.make(f"wrong-{size}", "DER:" + value.hex()))
    assert status(server)["certificates"][0]["names"] == ["a"]


def test_the_text_of_the_status(make_server, ca):
    names = [f"account-number-{number}.viewcases.com" for number in range(40)]
    pair, over = ca.make("many", *names), ca.make("gone", "old.example.test", ago=40)
    text = succeed("status", "--data", serve(make_server, pair, over).data).stdout
    lines = text[text.index("\ncertificates\n"):].splitlines()[2:]
    assert [line[2:22].strip() for line in lines] == 2 * [
        "file", "names", "valid from", "valid to", "expires in"]
    assert [line[22:] for line in lines[:2]] == [str(pair[0]), ", ".join(names)]
    assert re.fullmatch(r"29 d 23 h|30 d 0 h", lines[4][22:]) and lines[9][22:] == "over"


def test_without_names(make_server, ca):
    pair = ca.make("nameless", "email:somebody@example.test")
    server = serve(make_server, pair)
    assert status(server)["certificates"][0]["names"] == []


@pytest.mark.parametrize("odd", ["x" * 300, "a b.test", "line\\nfeed", "tab\\tin.test", "h\u00e4.test"],
                         ids=["long", "space", "line feed", "tab", "not ASCII"])
def test_names_that_nobody_can_ask_for(make_server, ca, odd):
    """They are left out. GnuTLS reads no name that follows one with a line feed."""
    pair = ca.make("odd", "first.test", odd, "last.test")
    server = serve(make_server, pair)
    names = status(server)["certificates"][0]["names"]
    assert names == ["first.test"] if "feed" in odd else names == ["first.test", "last.test"]


def test_many_names(make_server, ca):
    names = [f"account-{number}.viewcases.com" for number in range(1100)]
    server = serve(make_server, ca.make("all", *names))
    assert status(server)["certificates"][0]["names"] == names[:1000]


def test_the_same_file_twice(make_server, ca):
    """A sample must not be there twice; scrape() sees to it."""
    pair = ca.make("twice", "acme.viewcases.com")
    server = serve(make_server, pair, pair)
    assert len(status(server)["certificates"]) == 2
    assert scrape(server)[METRIC].by("file") == {str(pair[0]): end_of(pair)[1]}


def test_without_tls(make_server):
    server = make_server(options=["--metrics", "127.0.0.1:0"])
    assert "certificates" not in status(server)
    assert scrape(server)[METRIC].samples == {}
