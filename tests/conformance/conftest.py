"""Against a sandbox everything runs; against a real account only what can ring no phone and change nothing."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from .account import Account, EnvironmentWrongError, Secret, account_in
from .hands import Hands
from .provider import Face, Provider, provider_of
from .receiver import Receiver, receiving
from .table import table_of

HERE = Path(__file__).parent
MARKERS = {
    "row(*rows)": "the rows of checklist.py that this test stands for",
    "harmless": "can ring no phone and change nothing: this alone is sent to a real account",
    "guess(facts)": "the vendor is silent, the sandbox guesses; `facts` is the note of docs/voicenter.md",
}
APIS = ("click2call", "active_calls", "roster", "call_log")
_ACCOUNT = pytest.StashKey[Account | None]()
_PROVIDER = pytest.StashKey[Provider]()
_FAILED = pytest.StashKey[set[str]]()
_STANDING = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    try:
        account = account_in()
    except EnvironmentWrongError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_ACCOUNT] = account
    config.stash[_FAILED] = set()
    config.stash[_STANDING] = {}
    if account is not None:
        # What a failing test would show of its own accord: locals, arguments (long tracebacks have them without being
        # asked), and the client's log of addresses and headers.
        config.option.showlocals = False
        config.option.fulltrace = False
        config.option.tbstyle = "short"
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def pytest_sessionstart(session: pytest.Session) -> None:
    account = session.config.stash[_ACCOUNT]
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if account is not None and reporter is not None:
        # Minutes without a word look like a hang, and a wrong address is best noticed before it is asked.
        reporter.write_line(account.plan())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    account = config.stash[_ACCOUNT]
    if account is None:
        return
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    asked = [item for item in ours if item.get_closest_marker("harmless") and _has_addresses(item, account)]
    for item in asked:
        # Sockets are closed to all but loopback in this suite: these tests, and only in this run, reach out.
        item.add_marker(pytest.mark.enable_socket)
        guess = item.get_closest_marker("guess")
        config.stash[_STANDING][item.nodeid] = f"guess {guess.args[0]}" if guess else "page"
    left_out = [item for item in ours if item not in asked]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _has_addresses(item: pytest.Item, account: Account) -> bool:
    wanted = set(getattr(item, "fixturenames", ())) & set(APIS)
    return wanted <= set(account.urls)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.config.stash[_FAILED].add(item.nodeid)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    provider = config.stash.get(_PROVIDER, None)
    if provider is None or not provider.account.real:
        return
    terminalreporter.section("what the provider answered")
    standing, failed = config.stash[_STANDING], config.stash[_FAILED]
    for line in table_of(provider.exchanges, standing, failed):
        terminalreporter.write_line(line)
    for api in APIS:
        if api not in provider.account.urls:
            terminalreporter.write_line(f"not asked, no address given: {api}")


@pytest.fixture(scope="package")
def sandbox_account(pytestconfig: pytest.Config) -> Iterator[tuple[Account, str]]:
    """A sandbox of this suite's own, and its base address; it ends with the suite."""
    assert pytestconfig.stash[_ACCOUNT] is None, "a real account has no sandbox"
    # The only piece of the application that the suite knows, and only when nobody named an address.
    from tests.sandbox_server import RunningSandbox

    with RunningSandbox(code="conformance") as sandbox:
        call_log = f"{sandbox.url}/hub/cdr/"
        account = Account(
            urls={
                "click2call": sandbox.click2call_url,
                "active_calls": f"{sandbox.monitor_url}/GetExtensionsCalls",
                "roster": sandbox.extensions_url,
                "call_log": call_log,
            },
            code=Secret("conformance"),
            real=False,
        )
        yield account, sandbox.url


@pytest.fixture(scope="package")
def package_provider(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Provider]:
    """One client for the whole suite: the pause and the budget are the run's."""
    account = pytestconfig.stash[_ACCOUNT]
    if account is None:
        account = request.getfixturevalue("sandbox_account")[0]
    with provider_of(account) as provider:
        pytestconfig.stash[_PROVIDER] = provider
        yield provider


@pytest.fixture
def provider(package_provider: Provider, request: pytest.FixtureRequest) -> Provider:
    """The provider, with this test's name on what is asked; a sandbox is as new."""
    package_provider.test = request.node.nodeid
    if not package_provider.account.real:
        request.getfixturevalue("hands")
    return package_provider


@pytest.fixture(scope="package")
def package_hands(sandbox_account: tuple[Account, str]) -> Iterator[Hands]:
    hands = Hands(sandbox_account[1])
    yield hands
    hands.close()


@pytest.fixture
def hands(package_hands: Hands) -> Hands:
    """Hands on the telephones of a sandbox that is as new."""
    package_hands.reset()
    return package_hands


@pytest.fixture
def click2call(provider: Provider) -> Face:
    """The Click2Call API, asked for JSON without a phone: nothing that it is asked so can ring."""
    return Face(provider, "click2call", {"action": "call", "format": "json"})


@pytest.fixture
def calling(provider: Provider, hands: Hands) -> Face:
    """The Click2Call API, asked to connect Dana's extension with a lead; every parameter can be changed or left out."""
    assert hands.nobody_rang()
    wanted: dict[str, object] = {"action": "call", "format": "json", "phone": "SIPdana1", "target": "0501234567"}
    return Face(provider, "click2call", wanted)


@pytest.fixture
def active_calls(provider: Provider) -> Face:
    return Face(provider, "active_calls")


@pytest.fixture
def roster(provider: Provider) -> Face:
    return Face(provider, "roster")


@pytest.fixture
def call_log(provider: Provider) -> Face:
    return Face(provider, "call_log")


@pytest.fixture
def receiver(hands: Hands) -> Iterator[Receiver]:
    """A CRM on loopback to which the sandbox pushes its records, at once."""
    with receiving() as receiver:
        hands.push_cdr_to(receiver.url)
        yield receiver
