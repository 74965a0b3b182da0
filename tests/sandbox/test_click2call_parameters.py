"""Every parameter of the vendor's tables, every code, every way to send a request."""

import re
from xml.etree.ElementTree import fromstring

import pytest

from app.sandbox import Behaviour

from .conftest import CALL, PATH, Caller


async def test_an_accepted_call_is_answered_with_upper_case_keys_and_a_32_character_id(caller: Caller) -> None:
    answer = await caller.call()
    assert answer["ERRORCODE"] == 0
    assert answer["ERRORMESSAGE"] == "OK"
    assert re.fullmatch(r"\d{14}[0-9a-f]{18}", str(answer["CALLID"]))
    assert caller.sandbox.calls[0].call_id == answer["CALLID"]


async def test_without_a_format_the_answer_is_the_xml_of_the_vendor_page(caller: Caller) -> None:
    answer = await caller.http.post(PATH, json={**CALL, "phone": "", "format": ""})
    assert answer.headers["content-type"].startswith("text/xml")
    members = fromstring(answer.text).findall("./params/param/value/struct/member")  # noqa: S314 - our own
    values = {one.findtext("name"): one.findtext("value/string") for one in members}
    assert values == {"ERRORCODE": "1", "ERRORMESSAGE": "Phone is missing", "CALLID": ""}


@pytest.mark.parametrize("path", [PATH, PATH.lower(), "/forwardDialer/Click2Call.aspx", PATH.upper()])
async def test_the_letter_case_of_the_path_does_not_matter(caller: Caller, path: str) -> None:
    answer = await caller.http.get(path, params=CALL)
    assert answer.json()["ERRORCODE"] == 0


@pytest.mark.parametrize("way", ["get", "json", "form", "upper_names"])
async def test_get_json_and_forms_start_the_same_call(caller: Caller, way: str) -> None:
    match way:
        case "get":
            answer = await caller.http.get(PATH, params=CALL)
        case "json":
            answer = await caller.http.post(PATH, json=CALL)
        case "form":
            answer = await caller.http.post(PATH, data=CALL)
        case _:
            answer = await caller.http.post(PATH, json={name.upper(): value for name, value in CALL.items()})
    assert answer.json()["ERRORCODE"] == 0
    call = caller.sandbox.calls[0]
    assert (call.agent.number, call.lead.number) == ("SIPdana1", "0501234567")
    assert list(call.request.variables.values()) == ["0192f3"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"phone": None}, "Phone is missing"),
        ({"target": None}, "Target is missing"),
        ({"code": None}, "Code is missing"),
        ({"code": "wrong"}, "Authorization failed"),
        ({"action": None}, "Action is missing"),
        ({"action": "dance"}, "Action must be call or terminate"),
        ({"phone": "+972501234567"}, "Phone must be without the plus sign"),
        ({"target": "+972501234567"}, "Target must be without the plus sign"),
        ({"target": "05012"}, "Target must be a phone number or an extension"),
        ({"phone": "SIP dana"}, "Phone must be a phone number or an extension"),
        ({"phone": "logincode"}, "Phonelogincode is missing"),
        ({"record": "yes"}, "Record must be true or false"),
        ({"record": "1"}, "Record must be true or false"),
        ({"phonecallerid": "Dana"}, "Phonecallerid must be digits"),
        ({"targetcallerid": "+9723"}, "Targetcallerid must be digits"),
        ({"phonemaxdialtime": "soon"}, "Phonemaxdialtime must be a number of seconds"),
        ({"targetmaxdialtime": "0"}, "Targetmaxdialtime must be a number of seconds"),
        ({"maxduration": "-1"}, "Maxduration must be a number of seconds"),
        ({"phoneautoanswer": "perhaps"}, "Phoneautoanswer must be true or false"),
        ({"targetautoanswer": "2"}, "Targetautoanswer must be true or false"),
        ({"checkphonedevicestate": "on"}, "Checkphonedevicestate must be true or false"),
        ({"checktargetdevicestate": "on"}, "Checktargetdevicestate must be true or false"),
        ({"language": "hebrew!"}, "Language must be a language such as he or en"),
        ({"ignoredncstatus": "4"}, "Ignoredncstatus must be 1, 2 or 3"),
        ({"ignorednostatus": "0"}, "Ignorednostatus must be 1, 2 or 3"),
        ({"var_": "nameless"}, "A var_ parameter has no name"),
        ({f"var_{n}": "x" for n in range(10)}, "At most 10 var_ parameters are accepted"),
        ({"record": {"deep": "true"}}, "record must be a single value"),
    ],
    ids=str,
)
async def test_a_bad_parameter_is_code_1_and_rings_nobody(
    caller: Caller, params: dict[str, object], message: str
) -> None:
    answer = await caller.http.post(PATH, json={k: v for k, v in (CALL | params).items() if v is not None})
    assert answer.status_code == 200
    wanted = {"ERRORCODE": 1, "ERRORMESSAGE": message, "CALLID": ""}
    # A body that could not be read names no format either: the vendor's default is XML.
    assert answer.json() == wanted if message != "record must be a single value" else message in answer.text
    assert caller.sandbox.calls == []
    assert not caller.sandbox.requests()[0].rang


@pytest.mark.parametrize(
    "params",
    [
        {"record": "True", "phoneautoanswer": "1", "targetautoanswer": "true", "checkphonedevicestate": True},
        {"phonemaxdialtime": 20, "targetmaxdialtime": "30", "maxduration": "7200", "language": "he"},
        {"phonecallerid": "0722776772", "phonecallername": "אתר", "targetcallerid": "972722776772"},
        {"phone": "SIPTRUNK"},
        {"phone": "logincode", "phonelogincode": "1234"},
        {"phone": "0521112233", "target": "14155550100"},
        {"target": "KGpK4iWq", "checktargetdevicestate": "false", "ignoredncstatus": "3"},
        {f"var_{n}": "x" for n in range(9)},
        {"format": "JSON", "something_new": "ignored"},
    ],
    ids=str,
)
async def test_every_value_the_vendor_page_allows_is_accepted(caller: Caller, params: dict[str, object]) -> None:
    assert (await caller.call(**params))["ERRORCODE"] == 0


@pytest.mark.parametrize("body", ["{not json", "[1, 2]", "x" * 70_000], ids=["broken", "array", "too_long"])
async def test_an_unreadable_body_is_code_1_with_http_200(caller: Caller, body: str) -> None:
    answer = await caller.http.post(PATH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert "<string>1</string>" in answer.text


@pytest.mark.parametrize(
    ("extension", "code"), [("SIPoffline9", 3), ("BLOCKED_dana", 4), ("SIPerror", 2), ("SIPdana1", 0)]
)
async def test_the_name_of_the_extension_can_ask_for_a_code(caller: Caller, extension: str, code: int) -> None:
    assert (await caller.call(phone=extension))["ERRORCODE"] == code


async def test_a_script_can_take_the_extension_offline(caller: Caller) -> None:
    caller.sandbox.set_behaviour("SIPdana1", Behaviour(agent="offline"))
    assert (await caller.call(checkphonedevicestate="true"))["ERRORCODE"] == 3
    assert caller.sandbox.calls == []


@pytest.mark.parametrize(("checked", "code"), [("true", 3), ("false", 0)])
async def test_a_phone_switched_off_is_code_3_only_when_its_state_is_checked(
    caller: Caller, checked: str, code: int
) -> None:
    assert (await caller.http.post("/sandbox/phones/SIPdana1/offline")).status_code == 200
    assert (await caller.call(checkphonedevicestate=checked))["ERRORCODE"] == code
    if code == 0:
        assert caller.sandbox.calls[0].agent.status == "CHANUNAVAIL"


async def test_the_account_code_is_never_kept(caller: Caller) -> None:
    await caller.call()
    seen = (await caller.http.get("/sandbox/requests")).json()
    assert seen[0]["params"]["code"] == "***"
    assert seen[0]["params"]["var_lead"] == "0192f3"
    assert (seen[0]["phone"], seen[0]["target"], seen[0]["rang"]) == ("SIPdana1", "0501234567", True)


async def test_terminate_hangs_up_whatever_is_on_the_extension(caller: Caller) -> None:
    started = await caller.call()
    ended = await caller.call(action="terminate", target=None)
    assert ended == {"ERRORCODE": 0, "ERRORMESSAGE": "OK", "CALLID": started["CALLID"]}
    assert (caller.sandbox.calls[0].ended_by, caller.sandbox.calls[0].agent.status) == ("terminate", "CANCEL")
    assert (await caller.call(action="terminate", target=None))["CALLID"] == ""
    missing = await caller.call(action="terminate", target=None, phone=None)
    assert missing["ERRORMESSAGE"] == "Phone is missing"
