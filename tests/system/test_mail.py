"""flipback-mail, as the agent starts it, against a real SMTP server: what it delivers, and what it says of what is not taken."""

import json
import os
import socket
import subprocess
import time
from threading import Thread

import pytest
from conftest import BINARY
from smtp import PASSWORD, USER, Mailbox

PROGRAM = os.path.join(os.path.dirname(BINARY), "flipback-mail")
DELIVERED, REFUSED, IN_PART, NOT_YET = 0, 65, 68, 75  # of sysexits.h
MESSAGE = "From: flipback@example.com\r\nTo: ops@example.com\r\nSubject: x\r\nMessage-ID: <a.1@example.com>\r\n\r\n.a line\r\nFrom me\r\n"


def hand_over(server, **changed):
    job = {"server": server, "name": "127.0.0.1", "tls": False, "starttls": False, "verify": True, "ca_file": "", "client_certificate": "", "client_key": "",
           "newest_only": False, "user": "", "password": "", "from": "flipback@example.com", "to": ["ops@example.com"], "message": MESSAGE, "seconds": 10}
    done = subprocess.run([PROGRAM], input=json.dumps(job | changed), capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.count("\n") == 1 and PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout.strip()


@pytest.fixture
def secured(certificates):
    return {"certificate": (certificates / "good.pem", certificates / "good.key")}


@pytest.fixture
def how(certificates):
    return {"starttls": True, "ca_file": str(certificates / "ca.pem")}


def test_a_mail_arrives_as_it_was_given():
    with Mailbox() as mail:
        assert hand_over(mail.address, to=["ops@example.com", "dev@example.com"]) == (DELIVERED, f"{mail.address} took it")
    sender, receivers, message = mail.came[0]
    assert (sender, receivers) == ("flipback@example.com", ["ops@example.com", "dev@example.com"])
    assert message["Message-ID"] == "<a.1@example.com>" and message.get_content().splitlines() == [".a line", "From me"]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_it_logs_in_over_tls_with_a_certificate_that_is_verified(secured, how, tls):
    with Mailbox(**secured, tls=tls, login=True) as mail:
        status, says = hand_over(mail.address, **how | {"starttls": tls == "starttls", "tls": tls == "tls"}, name="service.test", user=USER, password=PASSWORD)
    assert status == DELIVERED, says
    assert len(mail.came) == 1 and mail.logins


def test_a_certificate_that_is_not_trusted_or_names_somebody_else_is_no_place_for_a_password(secured, how):
    with Mailbox(**secured, login=True) as mail:
        for wrong in ({"ca_file": ""}, {"name": "other.test"}):
            status, says = hand_over(mail.address, **how | {"name": "service.test"} | wrong, user=USER, password=PASSWORD)
            assert status == NOT_YET and "certificate" in says.lower(), says
    assert not mail.came and not mail.logins


def test_a_server_without_starttls_is_told_nothing(how):
    with Mailbox() as mail:
        status, says = hand_over(mail.address, **how)
    assert status == NOT_YET and not mail.came, says


def test_a_login_that_is_refused_waits_for_somebody_to_mend_it(secured, how):
    with Mailbox(**secured, login=True) as mail:
        status, says = hand_over(mail.address, **how, user=USER, password="wrong-hunter22")
        assert (status, says.startswith(f"{mail.address} answered \"535 ")) == (NOT_YET, True), says
        assert "wrong-hunter22" not in says
        status, says = hand_over(mail.address, **how)
        assert (status, "530" in says) == (NOT_YET, True), says
    assert not mail.came


@pytest.mark.parametrize(("command", "said", "status"), [("RCPT", "450 4.2.0 Greylisted, come again in 5 minutes", NOT_YET), ("RCPT", "550 5.1.1 No such user", REFUSED),
                                                         ("DATA", "452 4.3.1 Insufficient system storage", NOT_YET), ("DATA", "554 5.6.0 Spam", REFUSED)])
def test_what_the_server_says_tells_whether_it_may_be_delivered_later(command, said, status):
    with Mailbox(answers={command: [said]}) as mail:
        assert hand_over(mail.address) == (status, f"{mail.address} answered \"{said}\"")
        assert not mail.came
        assert hand_over(mail.address)[0] == DELIVERED


def test_one_receiver_that_is_refused_does_not_keep_it_from_the_others():
    with Mailbox(answers={"RCPT": ["550 5.1.1 No such user"]}) as mail:
        status, says = hand_over(mail.address, to=["gone@example.com", "ops@example.com"])
    assert (status, says) == (IN_PART, f"{mail.address} did not take it for all receivers: it answered \"550 5.1.1 No such user\"")
    assert mail.came[0][1] == ["ops@example.com"]


def test_a_server_that_hangs_or_is_not_there_is_left_in_time():
    began = time.monotonic()
    with Mailbox(answers={"DATA": ["hang"]}) as mail:
        status, says = hand_over(mail.address, seconds=2)
        assert (status, "time" in says) == (NOT_YET, True), says
        assert time.monotonic() - began < 8
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and says nothing
        status, says = hand_over(f"127.0.0.1:{silent.getsockname()[1]}", seconds=1)
        assert status == NOT_YET, says
    status, says = hand_over("127.0.0.1:9")
    assert status == NOT_YET and says.startswith("127.0.0.1:9: "), says


@pytest.mark.parametrize("says_first", [b"", b"garbage\r\n", b"220 here\r\n"])
def test_a_server_that_hangs_up_is_said_in_words(says_first):
    with socket.create_server(("127.0.0.1", 0)) as rude:
        def hang_up():
            peer = rude.accept()[0]
            peer.sendall(says_first)
            peer.close()
        Thread(target=hang_up, daemon=True).start()
        address = f"127.0.0.1:{rude.getsockname()[1]}"
        assert hand_over(address) == (NOT_YET, f"{address}: the server hung up, or does not speak SMTP")


def test_what_a_server_took_is_delivered_though_it_hangs_after_that():
    began = time.monotonic()
    with Mailbox(answers={"QUIT": ["hang"]}) as mail:
        assert hand_over(mail.address) == (DELIVERED, f"{mail.address} took it")
        assert time.monotonic() - began < 5 and len(mail.came) == 1


def test_started_by_a_person_it_says_what_it_is():
    done = subprocess.run([PROGRAM], input="", capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (REFUSED, "flipback-mail is started by flipback, with a mail as JSON on standard input\n")
