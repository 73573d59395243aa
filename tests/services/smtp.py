"""A real SMTP server (aiosmtpd), which takes mail, asks for TLS and a login, and refuses where a test wants it to."""

import email
import email.policy
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from processes import free_port

USER, PASSWORD = "flipback", "mail-hunter22"


class Mailbox:
    """`with Mailbox(...) as mail:` serves on `mail.address`; what came is in `mail.came`, each with its envelope.

    `certificate`: (certificate, key) in PEM; with it STARTTLS is demanded, or TLS from the first byte on where `tls` is "tls".
    `login`: a user and a password are demanded. `answers`: by command ("RCPT", "DATA", "QUIT"), what is answered in turn in the place of what the
    server would say; "hang", for the last two, answers nothing.
    """

    def __init__(self, certificate=None, tls="starttls", login=False, answers=None):
        self.certificate, self.tls, self.login = certificate, tls, login
        self.answers = {command: list(those) for command, those in (answers or {}).items()}
        self.came, self.logins = [], []
        self.released = threading.Event()

    def about(self, matter):
        """The mails on one matter, the oldest first."""
        return [message for _, _, message in self.came if matter in message["References"]]

    def answer(self, command):
        those = self.answers.get(command)
        return those.pop(0) if those else None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if said := self.answer("RCPT"):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = self.answer("DATA")
        if said == "hang":
            return await self.hang(server)
        if said:
            return said
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.came.append((envelope.mail_from, list(envelope.rcpt_tos), message))
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        return await self.hang(server) if self.answer("QUIT") == "hang" else "221 Bye"

    async def hang(self, server):
        await server.loop.run_in_executor(None, self.released.wait, 60)
        return "451 too late"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    def __enter__(self):
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
        how = {"authenticator": self.authenticate, "auth_required": True, "auth_require_tls": self.tls == "starttls"} if self.login else {}
        if context and self.tls == "starttls":
            how |= {"tls_context": context, "require_starttls": True}
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ssl_context=context if self.tls == "tls" else None, **how)
        self.controller.start()
        return self

    def __exit__(self, *unused):
        self.released.set()
        self.controller.stop()
