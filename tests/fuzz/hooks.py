"""What schemathesis can't know of the API: which ids there are, and that the admin must stay."""

import os
import unicodedata

import requests
import schemathesis

URL = os.environ["FUZZ_URL"]
ADMIN = os.environ["FUZZ_ADMIN"]
IS_ADMIN = os.environ["FUZZ_AS"] == "admin"
CREDENTIALS = {"email": "root@example.com", "password": "the password of the fuzz"}


def log_in():
    return requests.post(f"{URL}/auth/user/emailpass", json=CREDENTIALS, timeout=10).json()["token"]


@schemathesis.auth()
class Admin:
    """A token of the admin; of nobody where nobody asks."""

    def get(self, case, context):
        return log_in() if IS_ADMIN else None

    def set(self, case, data, context):
        if data is not None:
            case.headers = case.headers or {}
            case.headers.setdefault("Authorization", f"Bearer {data}")


@schemathesis.hook
def before_call(context, case, kwargs):
    keep_the_admin(case)
    if IS_ADMIN and case.path == "/auth/session" and case.method == "DELETE" and "Authorization" in (case.headers or {}):
        # The token that everything else is asked with must live on.
        case.headers["Authorization"] = f"Bearer {log_in()}"
    if case.path in ("/admin/users", "/admin/invites") and case.method == "GET":
        begin_where_there_is_something(case)


def keep_the_admin(case):
    """Nobody may do this to oneself, which would be answered by 400: the id becomes one that nobody has."""
    is_change = case.method != "GET" and case.path.startswith("/admin/users/{id}")
    if is_change and (case.path_parameters or {}).get("id") == ADMIN:
        case.path_parameters["id"] = "nobody"


def begin_where_there_is_something(case):
    """A page follows a row that there is, and begins at one place; what is wrong with either is left as it is."""
    query = case.query or {}
    after, offset = query.get("after"), query.get("offset")
    is_plain = isinstance(after, str) and not any(unicodedata.category(sign) == "Cc" for sign in after)
    if not is_plain or not 1 <= len(after) <= 255:
        return
    if case.path == "/admin/users":
        query["after"] = ADMIN
    else:
        query.pop("after")
    if offset is not None and str(offset).isdigit() and int(offset) < 2**32 and case.path == "/admin/users":
        query.pop("offset")
