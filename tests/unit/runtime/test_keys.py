"""Do the keys of a set-up stay what they are, and do older folders get what came to be needed?"""

import json
from base64 import b64decode
from pathlib import Path

from shared.runtime.local.keys import read_or_make_keys


def test_a_folder_from_before_readers_webhooks_gets_their_key_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = read_or_make_keys(path)
    older = json.loads(path.read_text())
    del older["matching_store"]
    path.write_text(json.dumps(older))

    first, again = read_or_make_keys(path), read_or_make_keys(path)

    assert len(b64decode(first.matching_store)) == 32
    assert again == first
    assert first.model_copy(update={"matching_store": made.matching_store}) == made
