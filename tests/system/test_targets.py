"""An incident as real receivers have it: an Alertmanager, an SMTP server that wants TLS and a login, a command."""

import json
import urllib.request

from conftest import Traffic
from processes import wait_until
from prometheus import Alertmanager
from smtp import PASSWORD, USER, Mailbox
from test_rollback import cut_over_and_break
from test_verbs import ask


def alerts(of, name):
    """The alerts of this name that are not over, as Alertmanager has them."""
    with urllib.request.urlopen(of.url + "/api/v2/alerts", timeout=10) as answer:
        return [one for one in json.load(answer) if one["labels"]["alertname"] == name]


def mail_target(mail, certificates, password=PASSWORD, name="mail"):
    return f"""
[targets.{name}]
type = "email"
server = "{mail.address}"
ca_file = "{certificates}/ca.pem"
user = "{USER}"
password = "{password}"
from = "Flipback <flipback@example.com>"
to = ["ops@example.com"]
"""


def test_an_incident_is_one_alert_and_one_thread_of_mail(stack, fast_agent, certificates, tmp_path):
    letters = tmp_path / "letters"
    with Alertmanager(tmp_path / "alertmanager") as server, Mailbox((certificates / "good.pem", certificates / "good.key"), login=True) as mail:
        agent = fast_agent("observe", extra=mail_target(mail, certificates) + f"""
[targets.alertmanager]
type = "alertmanager"
url = "{server.url}"
source = "web-1"
labels = {{ team = "ops" }}

[targets.command]
type = "command"
command = ["sh", "-c", "cat >> {letters}"]
about = ["incidents"]
""")
        Traffic(stack)
        cut_over_and_break(stack, agent)
        matter = agent.wait("verdict.changed", rule="error-rate", to="breached", seconds=60)["incident"]
        wait_until("the alert", lambda: alerts(server, "FlipbackIncident"), 30)
        [alert] = alerts(server, "FlipbackIncident")
        assert alert["labels"] == {"alertname": "FlipbackIncident", "instance": "web-1", "matter": matter, "severity": "critical", "team": "ops"}
        assert "the limit is > 5%" in alert["annotations"]["summary"] and "`flipback" in alert["annotations"]["type"]
        assert alert["status"]["state"] == "active"
        stack.mend("green")
        agent.wait("incident.ended", 120)
        wait_until("the last mail", lambda: any("over after" in message.get_content() for message in mail.about(matter)), 30)
        first, *others = mail.about(matter)
        assert others and {message["Subject"] for message in others} == {f"Re: {first['Subject']}"}
        assert {message["References"] for message in others} == {first["References"]} == {message["In-Reply-To"] for message in others}
        own = [message["Message-ID"] for message in mail.about(matter)]
        assert len(set(own)) == len(own) and first["References"] not in own
        assert "the limit is > 5%" in first.get_content() and "Type: `flipback" in first.get_content()
        assert mail.came[0][:2] == ("flipback@example.com", ["ops@example.com"])
        wait_until("the alert's end, a minute later", lambda: not alerts(server, "FlipbackIncident"), 90)

    told = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [letter["number"] for letter in told] == list(range(1, len(told) + 1)) and told[-1]["stage"] == "ended"
    assert all(letter["matter"] == matter for letter in told)


def test_a_trial_reaches_each_or_says_why_not(stack, fast_agent, certificates, tmp_path):
    with Alertmanager(tmp_path / "alertmanager") as server, Mailbox((certificates / "good.pem", certificates / "good.key"), login=True) as mail:
        fast_agent(extra=mail_target(mail, certificates) + mail_target(mail, certificates, "wrong-hunter22", "locked") + f"""
[targets.alertmanager]
type = "alertmanager"
url = "{server.url}"

[targets.later]
type = "command"
command = ["sh", "-c", "echo the modem is busy; exit 75"]
""")
        assert ask(stack, "notify", "test", "mail")[:2] == (0, "delivered mail (email)\n")
        assert mail.came[-1][2]["Auto-Submitted"] == "auto-generated"
        assert ask(stack, "notify", "test", "alertmanager")[0] == 0
        assert len(alerts(server, "FlipbackTrial")) == 1
        status, _, complaint = ask(stack, "notify", "test", "locked")
        assert status == 1 and "answered \"535 " in complaint and "wrong-hunter22" not in complaint
        status, _, complaint = ask(stack, "notify", "test", "later")
        assert status == 1 and "sh ended with status 75; it says \"the modem is busy\"" in complaint
