"""`leadring check --online`: agents and IVRs whose extension Voicenter does not know are named, letter for letter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import online
from app.directory import Directory, parse_directory
from app.online import OnlineReport
from app.voicenter.roster import KnownExtension
from tests.sandbox_server import RunningSandbox

KNOWN = {"SIPdAnA1": "Dana Levi", "KGpK4iWq": "Yossi", "SIPqueue": "Queue", "SIPspare": "Spare"}
SITE = '[[sites]]\nkey = "main"\norigins = ["https://x.example"]\n'


def directory(*extensions: str, more: str = "") -> Directory:
    """Agents a, b, c … with these extensions, then `more`."""
    text = SITE
    for letter, extension in zip("abcdefgh", extensions, strict=False):
        text += f'[[agents]]\nid = "{letter}"\nextension = "{extension}"\n'
        text += 'login_code = "7"\n' if extension == "logincode" else ""
    return parse_directory(text + more)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(extensions=KNOWN) as running:
        yield running


@pytest.fixture(autouse=True)
def untouched(sandbox: RunningSandbox) -> None:
    sandbox.clear()


async def ask(sandbox: RunningSandbox, whole: Directory, code: str | None = "sandbox") -> OnlineReport:
    return await online.report(whole, url=sandbox.extensions_url, code=code)


async def test_extensions_that_are_known_are_fine_and_nothing_is_rung(sandbox: RunningSandbox) -> None:
    found = await ask(sandbox, directory("SIPdAnA1", "KGpK4iWq"))
    assert found == OnlineReport(("Voicenter lists 4 extensions; 2 of them not used here",), 0)
    assert [request["api"] for request in sandbox.requests(None)] == ["roster"]


async def test_an_extension_that_is_not_known_is_named_with_what_was_probably_meant(sandbox: RunningSandbox) -> None:
    found = await ask(sandbox, directory("SIPdana1", "KGpK4iWg", "yossi", "SIPmoshe", "SIPspare"))
    assert found.exit_code == 2
    assert found.lines == (
        'agents "a": SIPdana1 is not known to Voicenter; SIPdAnA1 is: capital and small letters count',
        'agents "b": KGpK4iWg is not known to Voicenter; did you mean KGpK4iWq?',
        'agents "c": yossi is not known to Voicenter; that is a name, and its extension is KGpK4iWq',
        'agents "d": SIPmoshe is not known to Voicenter',
        "Voicenter lists 4 extensions; 3 of them not used here",
    )


async def test_what_is_no_extension_is_said_to_be_skipped(sandbox: RunningSandbox) -> None:
    found = await ask(sandbox, directory("054-1234567", "SIPTRUNK", "logincode"))
    assert found.exit_code == 0
    assert found.lines[:-1] == (
        'agents "a": 0541234567 is a telephone number: not looked up',
        'agents "b": SIPTRUNK is no extension of its own: not looked up',
        'agents "c": logincode is no extension of its own: not looked up',
    )


async def test_an_ivr_is_looked_up_once_however_many_lines_it_has(sandbox: RunningSandbox) -> None:
    ivr = '[[sites]]\nkey = "{0}"\norigins = ["https://x.example"]\nlines = 5\nivr = "{1}"\n'
    more = ivr.format("good", "SIPqueue") + ivr.format("bad", "SIPquuee") + ivr.format("did", "0722776772")
    found = await ask(sandbox, directory("SIPdAnA1", more=more))
    assert found.exit_code == 2
    assert found.lines == (
        'sites "bad": ivr SIPquuee is not known to Voicenter; did you mean SIPqueue?',
        'sites "did": ivr 0722776772 is a telephone number: not looked up',
        "Voicenter lists 4 extensions; 2 of them not used here",
    )


async def test_who_is_disabled_is_told_and_does_not_count(sandbox: RunningSandbox) -> None:
    more = '[[agents]]\nid = "gone"\nextension = "SIPgone"\nenabled = false\n'
    found = await ask(sandbox, directory("SIPdAnA1", more=more))
    assert found.exit_code == 0
    assert found.lines[0] == 'agents "gone": SIPgone is not known to Voicenter (but is disabled)'


def test_a_number_that_voicenter_lists_as_an_extension_is_known() -> None:
    known = [KnownExtension("1001", "Front desk", "", "")]
    assert online.compare(directory("1001"), known) == OnlineReport(
        ("Voicenter lists 1 extension; 0 of them not used here",), 0
    )


# ------------------------------------------------------------------------------------------- when it cannot be asked


async def test_a_wrong_code_looks_like_an_empty_list_and_is_no_verdict_on_any_extension(
    sandbox: RunningSandbox,
) -> None:
    """The vendor answers a wrong code with ERR 0 and no extensions (facts 3.1)."""
    found = await ask(sandbox, directory("SIPdAnA1"), code="another-code")
    assert found.exit_code == 1
    assert len(found.lines) == 1
    assert "code" in found.lines[0]
    assert "another-code" not in found.lines[0]


async def test_a_refused_address_is_told_with_the_allow_list(sandbox: RunningSandbox) -> None:
    sandbox.set_behaviour("roster", answer="http_error", status=403)
    found = await ask(sandbox, directory("SIPdAnA1"))
    assert found.exit_code == 1
    assert "403" in found.lines[0]
    assert "allow-list" in found.lines[0]


async def test_an_address_that_does_not_exist_is_told_with_the_setting_that_names_it(sandbox: RunningSandbox) -> None:
    sandbox.set_behaviour("roster", answer="http_error", status=404)
    found = await ask(sandbox, directory("SIPdAnA1"))
    assert found.exit_code == 1
    assert found.lines[0].endswith("HTTP 404, no such address: check LEADRING_VOICENTER_EXTENSIONS_URL")


@pytest.mark.parametrize("word", ["wrong", "account", "list"])
async def test_a_code_that_is_an_ordinary_word_leaves_our_own_sentences_readable(
    sandbox: RunningSandbox, word: str
) -> None:
    found = await ask(sandbox, directory("SIPdAnA1"), code=word)
    assert "an empty list of extensions, which is how a wrong account code is answered" in found.lines[0]


async def test_nobody_there_is_no_verdict_on_any_extension(unused_tcp_port: int) -> None:
    found = await online.report(directory("SIPx"), url=f"http://127.0.0.1:{unused_tcp_port}/", code="sandbox")
    assert (found.exit_code, len(found.lines)) == (1, 1)


async def test_without_the_account_code_nothing_is_asked(sandbox: RunningSandbox) -> None:
    found = await ask(sandbox, directory("SIPdAnA1"), code=None)
    assert found == OnlineReport(("Voicenter was not asked: LEADRING_VOICENTER_CODE is not set",), 1)
    assert sandbox.requests(None) == []
