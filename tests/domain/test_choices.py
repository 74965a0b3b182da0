"""What is kept of a choice: read back as it was written, and never longer than it may be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.choices import REASONS, SHORT, Choice, Group, Other, count, entry, pack, read_choice, write_choice
from app.service.choice_words import WORDS

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,63}", fullmatch=True)
moments = st.none() | st.integers(0, 2**43)
texts = st.text(max_size=60)
groups = st.lists(st.tuples(st.sampled_from(REASONS), texts, st.lists(st.tuples(ids, moments, texts), min_size=1)))


@given(groups)
def test_what_has_room_is_read_back_as_it_was(given: list[tuple[str, str, list[tuple[str, int | None, str]]]]) -> None:
    items = pack([(reason, detail, [entry(*one) for one in named]) for reason, detail, named in given], 10**9)
    found = read_choice(write_choice("only", "priority", "1,5", 3, True, ["", items]))
    assert found == Choice(
        "only",
        "priority",
        (1, 5),
        3,
        True,
        tuple(
            Group(
                reason,
                detail[:SHORT],
                tuple(Other(agent, (until,), text[:SHORT]) for agent, until, text in named),
                len(named),
            )
            for reason, detail, named in given
        ),
    )


@given(groups, st.integers(0, 1500))
def test_what_has_none_is_counted(given: list[tuple[str, str, list[tuple[str, int | None, str]]]], room: int) -> None:
    """All of them, in ASCII, within the room and some thirty bytes for each reason."""
    items = pack([(reason, detail, [entry(*one) for one in named]) for reason, detail, named in given], room)
    assert items.isascii()
    assert len(items) <= room + 34 * len({reason for reason, _, _ in given})
    read = read_choice(write_choice("only", "priority", "", 3, False, [items]))
    assert read is not None
    for reason in {reason for reason, _, _ in given}:
        wanted = sum(len(named) for word, _, named in given if word == reason)
        assert sum(group.many for group in read.others if group.reason == reason) == wanted


def test_a_count_is_read_as_a_group_without_names() -> None:
    read = read_choice(write_choice("only", "weighted", "1,0", 1, False, [count("not_free", 7)]))
    assert read is not None
    assert read.others == (Group("not_free", "", (), 7),)


def test_an_agent_without_figures_is_a_name() -> None:
    items = pack([("on_call", "", [json.dumps("dana")])], 100)
    assert json.loads(f"[{items}]") == [{"r": "on_call", "a": ["dana"]}]


@pytest.mark.parametrize("why", [None, "", "no reason", "[]", '{"other": 1}'])
def test_an_event_from_before_choices_were_kept_has_none(why: str | None) -> None:
    assert read_choice(why) is None


def test_there_are_words_for_every_reason() -> None:
    assert set(WORDS) == {*REASONS, "free"}
