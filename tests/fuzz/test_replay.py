"""What the fuzzer knows is tried again at each change: the corpus, and it as it was cut short."""

from pathlib import Path

import pytest

from tests.fuzz.target import attempt

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_input_of_the_corpus_surprises_us(path: Path) -> None:
    cleaned = attempt(path.read_bytes())

    assert cleaned == path.name.startswith("sound")


def test_the_corpus_is_small_and_has_both_kinds() -> None:
    assert {path.name.split("-")[0] for path in CORPUS} == {"refused", "sound"}
    assert sum(path.stat().st_size for path in CORPUS) < 256 << 10
