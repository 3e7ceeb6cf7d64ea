"""Policies as data: what a file says holds, and a broken one is refused by name."""

from pathlib import Path

import pytest
from pydicom._private_dict import private_dictionaries

from services.deid.__main__ import main
from services.deid.domain.actions import Action, Rulebook
from services.deid.domain.policy import BASIC, OPTION_CODES, SECOND_OPINION, Option, Policy
from services.deid.domain.private import SAFE, creator_of, is_creator
from services.deid.gateways.instance import table
from services.deid.gateways.policies import SHIPPED, PolicyBroken, load_policies, load_policy

PET = "Philips PET Private Group"
WHOLE = SHIPPED.read_text(encoding="utf-8")


def written(folder: Path, text: str, name: str = "policy.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_policy_is_the_one_in_the_code() -> None:
    assert load_policy(SHIPPED) == SECOND_OPINION
    assert SECOND_OPINION.codes()[0] == ("113100", "Basic Application Confidentiality Profile")
    assert len(SECOND_OPINION.codes()) == 10
    assert BASIC.codes() == SECOND_OPINION.codes()[:1]


@pytest.mark.parametrize("option", OPTION_CODES)
def test_each_option_can_be_switched_off(tmp_path: Path, option: Option) -> None:
    text = WHOLE.replace(f"{option}: true", f"{option}: false").replace("version: 2", "version: 3")

    policy = load_policy(written(tmp_path, text))

    assert policy.options == SECOND_OPINION.options - {option}
    assert policy.name == "second-opinion-3"
    assert policy.digest != SECOND_OPINION.digest
    assert OPTION_CODES[option] not in policy.codes()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("clean_graphics: true", "clean_graphic: true"), "options.clean_graphic is unknown: did"),
        (("clean_graphics: true", "clean_graphics: perhaps"), "options.clean_graphics is wrong"),
        (("clean_graphics: true", "clean_graphics: 1"), "options.clean_graphics is wrong"),
        (
            ("  clean_graphics: true                      #", "  #"),
            "options.clean_graphics missing: say true or false",
        ),
        (("version: 2", ""), "version is missing: add it"),
        (("version: 2", "version: '2'"), "version is wrong: input should be a valid integer"),
        (("version: 2", "version: 2\nversion: 3"), "version stands here twice"),
        (("name: second-opinion", "name: Second Opinion"), "name is wrong"),
        (("rotation: patient", "rotation: never"), "rotation is wrong: input should be 'patient'"),
        (("rotation: patient", "retention: patient"), "retention is unknown: did you mean"),
        (("options:", "options: ["), "line "),
        (("name:", "\x07"), "no well-formed YAML"),
    ],
)
def test_a_broken_policy_is_refused_by_file_and_field(
    tmp_path: Path, change: tuple[str, str], fault: str
) -> None:
    path = written(tmp_path, WHOLE.replace(*change))

    with pytest.raises(PolicyBroken) as refusal:
        load_policy(path)

    assert str(refusal.value).startswith("policy.yaml")
    assert fault in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "holds no fields"),
        (b"- a list\n", "holds no fields"),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"#" * (65 << 10), "a policy is a page"),
        (b"[" * 5000, "is no well-formed YAML"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)

    with pytest.raises(PolicyBroken, match=fault):
        load_policy(path)


def test_a_partners_own_policy_holds_for_its_cases_alone(tmp_path: Path) -> None:
    strict = WHOLE.replace("true", "false").replace("second-opinion", "strict")
    written(tmp_path, strict, "st-jude.yaml")

    policies = load_policies(tmp_path)

    assert policies.of("st-jude") == Policy("strict-2", frozenset())
    assert policies.of("somebody-else") == SECOND_OPINION
    assert load_policies(None).of("st-jude") == SECOND_OPINION
    assert load_policies(tmp_path / "st-jude.yaml").of("somebody-else").name == "strict-2"


def test_a_folder_may_name_its_own_default(tmp_path: Path) -> None:
    written(tmp_path, WHOLE.replace("second-opinion", "house"), "default.yaml")

    assert load_policies(tmp_path).of("anybody").name == "house-2"


@pytest.mark.parametrize("name", ["St Jude.yaml", "st-jude.yml", "notes.txt"])
def test_a_file_that_is_nobodys_policy_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path, WHOLE, name)

    with pytest.raises(PolicyBroken, match=r"name it default.yaml or <partner>.yaml"):
        load_policies(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyBroken, match="can't be read"):
        load_policies(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("creator", "tag", "vr", "action"),
    [
        (PET, 0x70531000, "DS", Action.KEEP),
        (PET, 0x70531000, "", Action.KEEP),  # implicit VR: the list knows it
        (PET, 0x70534200, "DS", Action.KEEP),  # another block
        (PET, 0x70531000, "LO", Action.REMOVE),
        (PET, 0x70531001, "DS", Action.REMOVE),
        (PET, 0x70530010, "LO", Action.KEEP),  # the creator itself
        ("Philips Imaging DD 001", 0x20011004, "CS", Action.SCREEN),
        ("Mr Hartigan's scanner", 0x70531000, "DS", Action.REMOVE),
        ("", 0x70531000, "DS", Action.REMOVE),
    ],
)
def test_a_private_element_stays_only_when_it_is_on_the_list(
    creator: str, tag: int, vr: str, action: Action
) -> None:
    assert Rulebook(table(), SECOND_OPINION).private(creator, tag, vr).action is action
    assert Rulebook(table(), BASIC).private(creator, tag, vr).action is Action.REMOVE


def test_the_creator_of_a_block_is_found() -> None:
    assert creator_of(0x00191023) == 0x00190010
    assert creator_of(0x0019FF23) == 0x001900FF
    assert is_creator(0x00190010)
    assert not is_creator(0x00191010)
    assert not is_creator(0x00180010)
    assert not is_creator(0x0019000F)


def test_the_list_of_safe_elements_agrees_with_the_dictionary_and_holds_no_text() -> None:
    for creator, elements in SAFE.items():
        for (group, byte), vr in elements.items():
            assert private_dictionaries[creator][f"{group:04X}xx{byte:02X}"][0] == vr
            assert vr in {"CS", "DS", "FD", "FL", "IS", "SL", "SS", "US"}


def test_the_service_does_not_start_with_a_broken_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, WHOLE.replace("clean_graphics", "clean_grafics"), "st-jude.yaml")
    settings = {
        "DEID_POSTGRES": "postgresql://deid@127.0.0.1/nowhere",
        "DEID_PORT": "1",
        "DEID_KEY": "a" * 44,
        "DEID_POLICIES": str(tmp_path),
        "OVERREAD_KAFKA": "127.0.0.1:1",
        "OVERREAD_OBJECTS": str(tmp_path / "objects"),
        "OVERREAD_ISSUER": "http://127.0.0.1:1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as stopped:
        main()

    assert stopped.value.code == 78
    assert "st-jude.yaml: options.clean_grafics is unknown" in capsys.readouterr().err
    assert not (tmp_path / "objects").exists()
