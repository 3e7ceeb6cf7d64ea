"""Does the local issuer answer as RFC 6749 says, and do the services believe its tokens?"""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from shared.runtime.auth import Issuer, Principal
from shared.runtime.issuer import AUDIENCE, IssuerSettings, create_issuer, rotate
from shared.runtime.local.clients import make_clients, read_seed, registered_clients
from shared.runtime.local.failure import SetupError
from shared.runtime.local.places import Places

URL = "http://issuer.test"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "o")
    places.make()
    return places


@pytest.fixture
def secrets(places: Places) -> dict[str, str]:
    return make_clients(places)


@pytest.fixture
def in_process(places: Places, secrets: dict[str, str]) -> httpx.ASGITransport:
    settings = IssuerSettings(url=URL, folder=places.issuer, port=1)
    return httpx.ASGITransport(create_issuer(settings))


@pytest.fixture
async def issuer(in_process: httpx.ASGITransport) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=in_process, base_url=URL) as client:
        yield client


async def claims_of(issuer: httpx.AsyncClient, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await issuer.get("/jwks")).json())
    return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


@pytest.mark.parametrize(
    ("client", "scope", "tenant"),
    [
        ("st-brigid", "partner", "st-brigid"),
        ("dr-osei", "reader", None),
        ("operator", "operator", None),
    ],
)
async def test_a_token_says_who_for_whom_and_until_when(
    issuer: httpx.AsyncClient, secrets: dict[str, str], client: str, scope: str, tenant: str | None
) -> None:
    answer = await issuer.post("/token", data=GRANT, auth=(client, secrets[client]))

    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["scope"]) == ("Bearer", scope)
    claims = await claims_of(issuer, body["access_token"])
    assert (claims["iss"], claims["aud"]) == (URL, AUDIENCE)
    assert (claims["sub"], claims["scope"]) == (client, scope)
    assert claims.get("tenant") == tenant
    assert claims["exp"] - claims["iat"] == body["expires_in"]


async def test_the_services_own_check_believes_the_token_and_takes_the_tenant_from_it(
    issuer: httpx.AsyncClient, in_process: httpx.ASGITransport, secrets: dict[str, str]
) -> None:
    held = ("st-brigid", secrets["st-brigid"])
    token = (await issuer.post("/token", data=GRANT, auth=held)).json()["access_token"]

    principal = await Issuer(URL, transport=in_process).principal(token)

    assert principal == Principal("st-brigid", "st-brigid", frozenset({"partner"}))


async def test_the_secret_may_come_in_the_form_instead(
    issuer: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    held = {"client_id": "operator", "client_secret": secrets["operator"]}

    assert (await issuer.post("/token", data=GRANT | held)).status_code == 200


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize(
    ("form", "headers", "status", "error"),
    [
        ({}, {}, 400, "invalid_request"),
        ({"grant_type": "password"}, basic("operator:x"), 400, "unsupported_grant_type"),
        (GRANT, {}, 401, "invalid_client"),
        (GRANT, basic("operator:wrong"), 401, "invalid_client"),
        (GRANT, basic("nobody:wrong"), 401, "invalid_client"),
        (GRANT, basic("operator:"), 401, "invalid_client"),
        (GRANT, basic("nobody:"), 401, "invalid_client"),
        (GRANT, basic("no colon"), 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic \N{MIDDLE DOT}".encode()}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Bearer abc"}, 401, "invalid_client"),
        (GRANT | {"client_secret": "x"}, basic("operator:x"), 400, "invalid_request"),
        (GRANT | {"client_id": "operator"}, {}, 401, "invalid_client"),
    ],
)
async def test_what_is_wrong_gets_the_error_that_rfc_6749_names(
    issuer: httpx.AsyncClient, form: dict[str, str], headers: Any, status: int, error: str
) -> None:
    answer = await issuer.post("/token", data=form, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_scope_beyond_the_clients_own_is_refused(
    issuer: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    held = ("dr-osei", secrets["dr-osei"])

    beyond = await issuer.post("/token", data=GRANT | {"scope": "reader operator"}, auth=held)
    within = await issuer.post("/token", data=GRANT | {"scope": "reader"}, auth=held)

    assert (beyond.status_code, beyond.json()["error"]) == (400, "invalid_scope")
    assert within.json()["scope"] == "reader"


async def test_after_a_rotation_both_keys_are_published_and_older_tokens_stay_valid(
    issuer: httpx.AsyncClient, secrets: dict[str, str], places: Places
) -> None:
    held = ("operator", secrets["operator"])
    before = (await issuer.post("/token", data=GRANT, auth=held)).json()["access_token"]

    kid = rotate(places.issuer)

    after = (await issuer.post("/token", data=GRANT, auth=held)).json()["access_token"]
    published = [key["kid"] for key in (await issuer.get("/jwks")).json()["keys"]]
    assert len(published) == 2
    assert published[0] == kid
    assert (await claims_of(issuer, before))["sub"] == "operator"
    assert (await claims_of(issuer, after))["sub"] == "operator"
    rotate(places.issuer)
    with pytest.raises(InvalidKeyIdError):
        await claims_of(issuer, before)


async def test_no_private_part_of_a_key_is_published(issuer: httpx.AsyncClient) -> None:
    for key in (await issuer.get("/jwks")).json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}


async def test_the_metadata_name_the_endpoints(issuer: httpx.AsyncClient) -> None:
    told = (await issuer.get("/.well-known/openid-configuration")).json()

    assert told["issuer"] == URL
    assert (told["token_endpoint"], told["jwks_uri"]) == (f"{URL}/token", f"{URL}/jwks")


def test_the_issuers_own_file_opens_nothing(places: Places, secrets: dict[str, str]) -> None:
    known = registered_clients(places.issuer).read_text()

    assert not any(secret in known for secret in secrets.values())


def test_a_new_client_in_the_seed_gets_a_secret_and_the_others_keep_theirs(
    places: Places, secrets: dict[str, str], tmp_path: Path
) -> None:
    seed = tmp_path / "clients.yaml"
    seed.write_text(
        "clients:\n- {id: operator, scopes: [operator]}\n- {id: new, scopes: [reader]}\n"
    )

    again = make_clients(places, seed)

    assert again["operator"] == secrets["operator"]
    assert set(again) == {"operator", "new"}


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ("clients: [{id: a, scopes: [partner]}]", "tenant if, and only if"),
        ("clients: [{id: a, scopes: [reader], tenant: b}]", "tenant if, and only if"),
        ("clients: [{id: A B, scopes: [reader]}]", "clients.0.id"),
        ("clients: [{id: a, scopes: [king]}]", "clients.0.scopes.0"),
        ("clients: [{id: a, scopes: [reader]", "expected"),
        ("", "valid dictionary"),
    ],
)
def test_a_broken_seed_is_told_with_the_place(tmp_path: Path, seed: str, said: str) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text(seed)

    with pytest.raises(SetupError) as raised:
        read_seed(path)

    assert said in raised.value.quote
