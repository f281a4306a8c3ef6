"""A server of a shop that knows its visitors' cookies, with the Segment SDK that the path finds.

Prints the SDK's version, the requests that it sent, and what it made of the answers. ``SNIPPET`` is
what docs/sdks.md says.
"""

from __future__ import annotations

import json
import os
from typing import Any

from segment import analytics
from segment.analytics import request
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
    exec(os.environ["SNIPPET"], {})
    analytics.on_error = lambda error, _calls: errors.append(str(error))
    cookie, user = {"anonymous_id": f"cookie-{OWN}"}, {"user_id": f"user-{OWN}"}
    analytics.page(**cookie, properties={"url": "https://shop.example/"})
    analytics.track(**cookie, event="Looked")
    analytics.identify(**cookie, **user, traits={"email": f"{OWN}@example.com"})
    analytics.track(**cookie, **user, event="Bought", properties={"sum": 12.5})
    analytics.track(**cookie, **user, event="Signed Out")
    analytics.track(**cookie, event="After")
    analytics.flush()
    analytics.shutdown()
    print(json.dumps({"version": VERSION, "requests": requests, "errors": errors}))


main()
