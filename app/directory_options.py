"""Voicenter's own options, by their own names, in [policy] and again in a site: read, and put together.

`phone…` speaks of the agent's leg and `target…` of the lead's, whichever rings first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from app.directory_reading import Table
from app.directory_types import Policy, Site

# Vendor page; `ignoredncstatus`: facts 6, the page's spelling is a scanning error.
FLAGS = ("phoneautoanswer", "targetautoanswer", "checkphonedevicestate", "checktargetdevicestate")
CALLER_IDS = ("phonecallerid", "targetcallerid")
CALLER_NAMES = ("phonecallername", "targetcallername")
PROVIDER_OPTIONS = (*CALLER_IDS, *CALLER_NAMES, *FLAGS, "language", "ignoredncstatus")
# A site has a `language` already, that of its visitors; a call follows the lead's unless the policy names one.
SITE_OPTIONS = tuple(name for name in PROVIDER_OPTIONS if name != "language")
ON_UNLESS_OFF = "checkphonedevicestate"  # the one flag that must be sent to be off: without it we send true


def read_policy_options(table: Table) -> Mapping[str, str]:
    """The options to send for every site, ON_UNLESS_OFF always among them."""
    return _sent({ON_UNLESS_OFF: "true", **_said(table, PROVIDER_OPTIONS)})


def read_site_options(table: Table) -> Mapping[str, str]:
    """What one site says otherwise than the policy: "false" and "" take back what the policy says."""
    return MappingProxyType(_said(table, SITE_OPTIONS))


def options_for(policy: Policy, site: Site | None) -> Mapping[str, str]:
    """The options to send for a lead of this site; None for a site that is no longer in the file."""
    return _sent({**policy.provider_options, **(site.provider_options if site else {})})


def record_for(policy: Policy, site: Site | None) -> bool:
    """Whether calls for this site's leads are recorded."""
    return policy.record if site is None or site.record is None else site.record


def _sent(options: Mapping[str, str]) -> Mapping[str, str]:
    """A flag that is off is not sent: its mere presence might read as on (facts 1.2: values are not stated)."""
    return MappingProxyType(
        {
            name: value
            for name, value in options.items()
            if value and not (name in FLAGS and value == "false" and name != ON_UNLESS_OFF)
        }
    )


def _said(table: Table, names: Collection[str]) -> dict[str, str]:
    """The options that stand in this table, off ones as "false" or ""; those that are wrong are told and left out."""
    found: dict[str, str] = {}
    for name in names:
        if name in table.values:
            before = len(table.mistakes)
            value = _value(table, name)
            if len(table.mistakes) == before:
                found[name] = value
    return found


def _value(table: Table, name: str) -> str:
    if name in CALLER_IDS:
        return re.sub(r"[\s+().-]", "", table.text(name, pattern=r"\+?[0-9 ().-]{3,24}", means="a phone number"))
    if name in CALLER_NAMES:
        return table.text(name, many=64)
    if name in FLAGS:
        return "true" if _flag(table, name) else "false"
    if name == "language":
        return table.text(name, pattern="[a-z]{2}", means='two small letters, such as "he"')
    status = str(table.values[name])
    if status not in ("0", "1", "2", "3"):
        table.wrong(name, "must be 1 (for the agent's leg), 2 (for the lead's), 3 (for both) or 0 (for none)")
    return "" if status == "0" else status


def _flag(table: Table, name: str) -> bool:
    """true or false; also as the texts and digits that the provider's own page writes."""
    words = {"true": True, "1": True, "false": False, "0": False}
    value = str(table.values[name]).lower()
    return words[value] if value in words else table.flag(name, False)
