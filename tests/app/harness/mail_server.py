"""A mail server by another hand: each mail that it takes becomes a file of JSON in FOLDER, numbered from 0.

    mail_server.py FOLDER [--encryption tls|starttls] [--certificate-for NAME] [--login USER:PASSWORD] [--smtputf8]

It makes a certificate authority of its own, whose certificate is FOLDER/ca.pem, and prints the port it listens on.
"""

import argparse
import asyncio
import itertools
import json
import logging
import pathlib
import ssl
import warnings

import trustme
from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    """Keeps what it is handed, and how."""

    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count()

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "is_encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data and session.auth_data.login.decode(),
            "data": envelope.content.decode(),
        }
        (self.folder / f"{next(self.numbers)}.json").write_text(json.dumps(mail))
        return "250 kept"


def certificate(folder, name):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def authenticator(login):
    def check(_server, _session, _envelope, _mechanism, given):
        is_right = b":".join([given.login, given.password]).decode() == login
        return AuthResult(success=is_right, handled=False, auth_data=given)

    return check


async def serve(asked):
    asked.folder.mkdir(parents=True)
    context = asked.encryption and certificate(asked.folder, asked.certificate_for)
    keeper = Keeper(asked.folder)

    def session():
        return SMTP(
            keeper,
            enable_SMTPUTF8=asked.smtputf8,
            tls_context=context if asked.encryption == "starttls" else None,
            require_starttls=asked.encryption == "starttls",
            auth_required=asked.login is not None,
            auth_require_tls=asked.encryption == "starttls",
            authenticator=authenticator(asked.login),
            hostname="localhost",
        )

    wrapped = context if asked.encryption == "tls" else None
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=wrapped)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# What clients do wrong is what many tests are about, and told by the tests.
logging.disable()
warnings.simplefilter("ignore")

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--encryption", choices=["tls", "starttls"])
parser.add_argument("--certificate-for", default="localhost")
parser.add_argument("--login")
parser.add_argument("--smtputf8", action="store_true")
asyncio.run(serve(parser.parse_args()))
