"""Holes in the schedule are found to the minute and said in words."""

from __future__ import annotations

from datetime import date

from app.directory import Directory, parse_directory
from app.domain.coverage import forgotten_eves, holes

SUNDAY = date(2026, 6, 14)
AGENT = '[[agents]]\nid = "{id}"\nextension = "SIP{id}"\n{more}\n'


def directory(site: str, *agents: str, hours: str = "") -> Directory:
    return parse_directory(f'{hours}\n[[sites]]\nkey = "main"\n{site}\n' + "\n".join(agents))


def found(site: str, *agents: str, hours: str = "", from_: date = SUNDAY) -> list[str]:
    whole = directory(site, *agents, hours=hours)
    return holes(whole, whole.sites["main"], from_=from_)


def agent(name: str, more: str = "") -> str:
    return AGENT.format(id=name, more=more)


OFFICE = '[hours.office]\nsun-thu = ["09:00-18:00"]\n'
MORNING = '[hours.morning]\nsun-thu = ["08:00-12:00"]\n'
AFTERNOON = '[hours.afternoon]\n"sun,tue-thu" = ["13:00-18:00"]\nmon = ["12:00-18:00"]\n'


def test_somebody_always_there_leaves_no_hole() -> None:
    assert found("", agent("dana")) == []
    assert found('hours = "office"', agent("dana"), hours=OFFICE) == []


def test_the_lunch_nobody_covers_is_named_day_by_day() -> None:
    sentences = found(
        'hours = "office"',
        agent("dana", 'hours = "morning"'),
        agent("yossi", 'hours = "afternoon"'),
        hours=OFFICE + MORNING + AFTERNOON,
    )
    assert sentences == [
        f"main: {day} 12:00–13:00 nobody can take a call" for day in ("Sunday", "Tuesday", "Wednesday", "Thursday")
    ]


def test_only_enabled_agents_with_every_skill_count() -> None:
    sentences = found(
        'hours = "office"\nskills = ["he", "sales"]',
        agent("dana", 'skills = ["he"]'),
        agent("yossi", 'skills = ["he", "sales", "en"]\nenabled = false'),
        hours=OFFICE,
    )
    assert len(sentences) == 5
    assert sentences[0] == "main: Sunday 09:00–18:00 nobody can take a call"


def test_a_week_begins_on_the_day_asked_for() -> None:
    sentences = found('hours = "office"', agent("dana", "enabled = false"), hours=OFFICE, from_=date(2026, 6, 17))
    assert [sentence.split()[1] for sentence in sentences] == ["Wednesday", "Thursday", "Sunday", "Monday", "Tuesday"]


def test_an_always_open_site_is_told_in_whole_days() -> None:
    sentences = found("", agent("dana", 'hours = "office"'), hours=OFFICE)
    assert sentences[:2] == [
        "main: Sunday 00:00–09:00 nobody can take a call",
        "main: Sunday 18:00–24:00 nobody can take a call",
    ]
    assert sentences[-1] == "main: Saturday 00:00–24:00 nobody can take a call"
    assert len(sentences) == 12


def test_nights_are_covered_by_the_shift_that_began_the_day_before() -> None:
    night = '[hours.night]\nmon-sun = ["22:00-06:00"]\n[hours.day]\nmon-sun = ["06:00-21:30"]\n'
    sentences = found("", agent("dana", 'hours = "night"'), agent("yossi", 'hours = "day"'), hours=night)
    assert len(sentences) == 7
    assert sentences[0] == "main: Sunday 21:30–22:00 nobody can take a call"


def test_a_night_without_agents_runs_past_midnight() -> None:
    night = '[hours.night]\nfri = ["22:00-02:00"]\n[hours.day]\nmon-sun = ["06:00-21:30"]\n'
    sentences = found('hours = "night"', agent("dana", 'hours = "day"'), hours=night)
    assert sentences == ["main: Friday 22:00–02:00 nobody can take a call"]


def test_an_agent_in_another_time_zone_is_counted_at_the_real_time() -> None:
    london = '[hours.london]\ntimezone = "Europe/London"\nsun-thu = ["09:00-16:00"]\n'
    sentences = found('hours = "office"', agent("dana", 'hours = "london"'), hours=OFFICE + london)
    assert sentences[0] == "main: Sunday 09:00–11:00 nobody can take a call"
    assert len(sentences) == 5


def test_a_holiday_of_the_agents_alone_is_a_hole() -> None:
    """22 April 2026 is Independence Day, a Wednesday."""
    staff = '[hours.staff]\nmon-sun = ["00:00-24:00"]\nholidays = "IL"\n'
    sentences = found(
        'hours = "office"', agent("dana", 'hours = "staff"'), hours=OFFICE + staff, from_=date(2026, 4, 19)
    )
    assert sentences == ["main: Wednesday 09:00–18:00 nobody can take a call"]


def test_an_ivr_has_no_holes_and_its_lines_fill_nobody_elses() -> None:
    ivr = '[[sites]]\nkey = "queue"\nivr = "0722776772"\nhours = "office"\n'
    whole = directory('hours = "office"', agent("dana", "enabled = false"), hours=OFFICE + ivr)
    assert holes(whole, whole.sites["queue"], from_=SUNDAY) == []
    assert len(holes(whole, whole.sites["main"], from_=SUNDAY)) == 5


def test_an_agent_who_cannot_be_rung_second_fills_no_hole_of_a_site_that_rings_the_lead_first() -> None:
    trunk = '[[agents]]\nid = "tal"\nextension = "SIPTRUNK"\n'
    assert found('hours = "office"', trunk, hours=OFFICE) == []
    assert len(found('hours = "office"\nfirst = "lead"', trunk, hours=OFFICE)) == 5


def test_an_eve_that_the_agents_leave_early_is_a_hole() -> None:
    """21 April 2027 is the eve of Pesach, a Wednesday; on the Thursday the site is closed with everybody."""
    site = OFFICE + 'holidays = "IL"\n'
    staff = '[hours.staff]\nsun-thu = ["09:00-18:00"]\nholidays = "IL"\nholiday_eves = ["09:00-12:30"]\n'
    sentences = found('hours = "office"', agent("dana", 'hours = "staff"'), hours=site + staff, from_=date(2027, 4, 18))
    assert sentences == ["main: Wednesday 12:30–18:00 nobody can take a call"]


def test_hol_hamoed_of_the_agents_alone_is_a_hole() -> None:
    """Hol HaMoed of Pesach 2027 has the Sunday to the Tuesday; the Tuesday is an eve, too."""
    staff = '[hours.staff]\nsun-thu = ["09:00-18:00"]\nholidays = "IL"\nhol_hamoed = ["09:00-13:00"]\n'
    whole = OFFICE + 'holidays = "IL"\n' + staff
    sentences = found('hours = "office"', agent("dana", 'hours = "staff"'), hours=whole, from_=date(2027, 4, 22))
    assert sentences == [f"main: {day} 13:00–18:00 nobody can take a call" for day in ("Sunday", "Monday", "Tuesday")]


def test_an_agent_abroad_is_an_hour_off_while_only_one_country_has_changed_its_clocks() -> None:
    """Israel changes on Friday 27 March 2026, Britain on Sunday the 29th: in between they are three hours apart."""
    london = '[hours.london]\ntimezone = "Europe/London"\nmon-sun = ["07:00-16:00"]\n'
    site = '[hours.site]\nmon-sun = ["09:00-18:00"]\n'
    sentences = found('hours = "site"', agent("dana", 'hours = "london"'), hours=site + london, from_=date(2026, 3, 26))
    assert sentences == [
        "main: Friday 09:00–10:00 nobody can take a call",
        "main: Saturday 09:00–10:00 nobody can take a call",
    ]


def eves(more: str, from_: date = date(2027, 4, 12)) -> list[str]:
    hours = directory("", agent("dana"), hours=OFFICE + more).hours["office"]
    return forgotten_eves(hours, from_=from_)


def test_an_eve_worked_as_usual_is_named_in_the_two_weeks_before_it() -> None:
    expected = ["hours.office: Wednesday 2027-04-21, the eve of Pesach, is open as usual until 18:00"]
    assert eves('holidays = "IL"') == expected
    assert eves('holidays = "IL"', date(2027, 4, 8)) == expected
    assert eves('holidays = "IL"', date(2027, 4, 7)) == []
    assert eves('holidays = "IL"', date(2027, 4, 21)) == [
        *expected,
        "hours.office: Tuesday 2027-04-27, the eve of Seventh day of Pesach, is open as usual until 18:00",
    ]


def test_eves_are_not_forgotten_where_anything_is_said_of_them() -> None:
    assert eves('holidays = "IL"\nholiday_eves = ["00:00-24:00"]') == []
    assert eves('holidays = "IL"\nextra_open = { "2027-04-21" = ["09:00-18:00"] }') == []
    assert eves('holidays = "IL"\nextra_closed = ["2027-04-21"]') == []
    assert eves("") == []
    assert eves('holidays = "GB"', date(2026, 12, 20)) == []
    assert eves('holidays = "IL"', date(2027, 9, 30)) == [  # those of Rosh HaShana and Yom Kippur: Friday and Sunday
        "hours.office: Sunday 2027-10-10, the eve of Yom Kippur, is open as usual until 18:00"
    ]
