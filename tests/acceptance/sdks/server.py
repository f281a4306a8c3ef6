"""Segment's SDK for Python, of whichever version the path finds, as a server uses it that knows its
visitors' cookies. Prints its version, the bodies that it sent, and what it made of the answers."""

from __future__ import annotations

import json
import os
from typing import Any

from segment.analytics import consumer, request
from segment.analytics.client import Client
from segment.analytics.version import VERSION

OWN = os.environ["OWN"]
errors: list[str] = []
requests: list[dict[str, Any]] = []


class Session:
    """The SDK's session, which keeps what it is given to send."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def post(self, url: str, **given: Any) -> Any:
        answer = self._session.post(url, **given)
        headers = dict(answer.request.headers)
        requests.append({"url": url, "headers": headers, "body": given["data"]})
        return answer


def main() -> None:
    request._session = Session(request._session)
    client = Client(
        os.environ["KEY"],
        host=os.environ["URL"],
        upload_interval=0.05,
        max_retries=2,
        on_error=lambda error, _calls: errors.append(str(error)),
    )
    cookie, user = {"anonymous_id": f"cookie-{OWN}"}, {"user_id": f"user-{OWN}"}
    client.page(**cookie, properties={"url": "https://shop.example/"})
    client.track(**cookie, event="Looked")
    client.identify(**cookie, **user, traits={"email": f"{OWN}@example.com"})
    client.track(**cookie, **user, event="Bought", properties={"sum": 12.5})
    client.track(**cookie, **user, event="Signed Out")
    client.track(**cookie, event="After")
    client.flush()
    client.shutdown()
    found = {"version": VERSION, "requests": requests, "errors": errors}
    print(json.dumps(found))


assert consumer.post is request.post
main()
