"""What is a webhook's address? Checked when it is set; where it leads is checked at each use."""

from typing import Annotated

import httpx
from pydantic import AfterValidator, StringConstraints

LONGEST = 2000  # what every receiver's server can read in a request line


def _address(value: str) -> str:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("is no URL") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise ValueError("must be https://host/path (http:// only where the settings allow it)")
    if url.userinfo or url.fragment:
        raise ValueError("must have no user, password or fragment: webhooks are signed instead")
    return value


Webhook = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_address)]
