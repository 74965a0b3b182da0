"""Every parameter, value and code that the suite has to test: `parameter: case` → what is promised.

CALL, TERMINATE, REQUEST and ANSWER are the vendor's page (Click To Call API), row by row. The tables below them are
the other APIs, from the notes that docs/voicenter.md numbers: ROSTER facts 3.1, ACTIVE_CALLS facts 3.2, CALL_LOG
facts 4, CDR facts 2.1 to 2.7.
"""

Table = dict[str, dict[str, str]]

CALL: Table = {
    "phone": {
        "missing": 'mandatory; the page\'s sample answers code 1 "Phone is missing"',
        "rings first": "first destination to dial; leg 2 follows an answer to leg 1",
        "E.164": "a phone number in E.164 format without the plus sign",
        "with plus": "without the plus sign",
        "Israeli": "if the phone is Israeli, format can be 0**********",
        "extension": "a Voicenter extension",
        "SIPTRUNK": "an extension behind a SIP trunk: Phone=SIPTRUNK",
        "logincode": "phone=logincode phonelogincode=[login code]",
        "logincode alone": "phonelogincode belongs to phone=logincode",
    },
    "target": {
        "missing": "mandatory",
        "rings second": "second destination to dial",
        "E.164": "E.164 format without the leading plus",
        "with plus": "without the leading plus (+) sign",
        "Israeli": "if the target is Israeli, format can be 0********** too",
        "extension": "a Voicenter extension",
    },
    "code": {"missing": "mandatory", "wrong": "caller identity token", "right": "caller identity token"},
    "action": {"missing": "mandatory", "call": "action=call", "unknown": "call or terminate"},
    "record": {"true": "true / false", "false": "true / false", "absent": "set to false", "else": "true / false"},
    "phonecallerid": {"given": "caller id of the phone; not supported by all providers"},
    "phonecallername": {"given": "caller name of the phone; not supported by all providers"},
    "targetcallerid": {"given": "caller id of the target; not supported by all providers"},
    "targetcallername": {"given": "caller name of the target; not supported by all providers"},
    "phonemaxdialtime": {"given": "seconds", "absent": "60 seconds", "passes": "the leg ends", "else": "seconds"},
    "targetmaxdialtime": {"given": "seconds", "absent": "60 seconds", "passes": "the leg ends", "else": "seconds"},
    "maxduration": {"passes": "maximum call duration in seconds", "absent": "7200 seconds", "else": "seconds"},
    "phoneautoanswer": {"true": "true or 1", "1": "true or 1", "absent": "set to false"},
    "targetautoanswer": {"true": "true or 1", "1": "true or 1", "absent": "set to false"},
    "checkphonedevicestate": {
        "offline": "block call if extension offline",
        "online": "block call if extension offline",
        "absent": "optional",
    },
    "checktargetdevicestate": {
        "offline": "block call if extension offline",
        "online": "block call if extension offline",
        "absent": "optional",
    },
    "language": {"he": "he/en/ru/etc", "en": "he/en/ru/etc", "ru": "he/en/ru/etc", "etc": "he/en/ru/etc"},
    "format": {
        "XML": "XML for XML format",
        "json": "json for JSON format",
        "absent": "the default is XML",
        "any case": "the page writes XML large and json small",
        "unknown": "possible values: XML, json",
    },
    "var_*": {
        "1": "any custom parameter with var_ prefix",
        "10": "the limit is 10 parameters",
        "11": "the limit is 10 parameters",
        "in the record": "used in CDR to CRM API",
        "in active calls": "used in the vendor's notification programs",
    },
    # The page's scan reads ignorednostatus, everything else ignoredncstatus (facts 6).
    "ignoredncstatus": {"1": "phone", "2": "target", "3": "both phone and target", "else": "1, 2 or 3"},
    "ignorednostatus": {"1": "phone", "2": "target", "3": "both phone and target"},
}

TERMINATE: Table = {
    "terminate phone": {
        "missing": "mandatory",
        "ringing": "Voicenter extension to hang up",
        "dialing": "Voicenter extension to hang up",
        "talking": "end an active call",
        "idle": "nothing is said",
    },
    "terminate code": {"missing": "mandatory", "wrong": "caller identity"},
    "terminate action": {"terminate": "action=terminate", "large letters": "action=terminate"},
}

REQUEST: Table = {
    "request": {
        "GET": "acceptable request type",
        "POST-JSON": "acceptable request type",
        "numbers in JSON": "values of one page as numbers",
        "form": "older editions say POST",
        "path in other case": "official pages spell the path in several ways",
        "parameter in other case": "the terminate table writes Phone",
        "unreadable": "not JSON at all",
    },
}

ANSWER: Table = {
    "ERRORCODE": {
        "0": "OK",
        "1": "invalid request parameters",
        "2": "application error",
        "3": "the representative's extension is offline",
        "4": "extension blocked for Click2Call calls",
    },
    "ERRORMESSAGE": {"OK": "a short sentence", "failure": "a short sentence describing the issue"},
    "CALLID": {"success": "32 characters, unique", "failure": "empty"},
    "XML": {"structure": "the page's XML-RPC sample: order of members, every value a string"},
    "JSON": {"structure": "the three fields as one object"},
}

ROSTER: Table = {
    "roster": {
        "answer": "ERR 0, DESC OK, EXTENSIONS",
        "row": "SIP, Name, SpeedDial, AccountID, AccountName, UserName, UserEmail; no state",
        "GET": "GET or POST-JSON",
        "code missing": "ERR 1",
        "code wrong": "ERR 0 and an empty list",
    },
}

ACTIVE_CALLS: Table = {
    "active calls": {
        "answer": "ERR 0, DESC OK, EXTENSIONS",
        "row": "name, representative, username, extensionID, userID, onlineUserID, onlineUserStatus, calls",
        "GET": "GET or POST-JSON",
        "extension": "one SIP code; absent = all",
        "code missing": "ERR 1",
        "code wrong": "empty EXTENSIONS",
        "idle": "calls empty",
        "phone rings": "a call that is Ringing, not answered",
        "target rings": "a call that is not answered",
        "talking": "Talking, answered",
        "on hold": "Hold, still answered",
        "over": "calls empty again",
        "ivrid": "equal to the CALLID",
        "offline device": "no device-registered flag",
    },
    "onlineUserStatus": {
        "1": "Login",
        "2": "Logout",
        "3": "Lunch",
        "5": "Administrative",
        "7": "Private",
        "9": "Other",
        "11": "Training",
        "12": "Team meeting",
        "13": "Brief",
    },
}

CALL_LOG: Table = {
    "call log": {
        "answer": "ERROR_NUMBER, ERROR_DESCRIPTION, STATUS_CODE, TOTAL_HITS, RETURN_HITS, CDR_LIST",
        "GET": "GET is flat",
        "dates missing": "5/404",
        "dates unreadable": "5/404",
        "code wrong": "2/403",
        "address refused": "4/403",
        "rate limit": "1/403",
        "two rows": "types 9 and 10",
        "fields": "rows with these keys in PascalCase",
        "no fields": "rows in lower case",
        "window": "dates in GMT",
    },
    "call log search": {
        "phones": "rows of these phones",
        "extensions": "rows of these extensions",
        "callID": "rows of that call",
        "cdrTypes": "rows of these types",
    },
}

CDR: Table = {
    "CDR": {
        "two records": "Click2Call leg1 and Click2Call leg2",
        "status connected": "ANSWER, talk seconds",
        "agent silent": "leg 1 NOANSWER, leg 2 never dialled",
        "lead silent": "leg 2 NOANSWER",
        "lead busy": "leg 2 BUSY",
        "call id": "the CALLID as ivruniqueid or OriginalIvrUniqueID",
        "time": "Israel's wall clock as epoch",
        "recording": "a link on leg 2",
        "keys": "caller, target, time, duration, dialtime, ivruniqueid, type, status …",
        "repeated until 200": "200 is the acknowledgement",
    },
    "CDR encoding": {"json": "POST-JSON", "form": "form-encoded", "xml": "XML-RPC", "array": "one-element array"},
}

TABLES: tuple[Table, ...] = (CALL, TERMINATE, REQUEST, ANSWER, ROSTER, ACTIVE_CALLS, CALL_LOG, CDR)
ROWS: dict[str, str] = {
    f"{parameter}: {case}": promise
    for table in TABLES
    for parameter, cases in table.items()
    for case, promise in cases.items()
}
