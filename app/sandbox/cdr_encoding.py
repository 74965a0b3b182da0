"""The bodies in which a record is pushed: what is known (facts 2.1, 2.2), and what receivers had to guard against."""

import json
from typing import Literal
from urllib.parse import urlencode

from .answers import xml_members
from .cdr import Record

Encoding = Literal["json", "array", "string", "nested", "form", "xml"]
Variables = Literal["custom_data", "CUSTOM_DATA", "top", "none"]


def with_variables(record: Record, where: Variables) -> Record:
    """The record with its var_* where the provider might put them (facts 2.5)."""
    rest = {name: value for name, value in record.items() if name != "CustomData"}
    variables = record["CustomData"]
    assert isinstance(variables, dict)
    match where:
        case "custom_data":
            return record
        case "CUSTOM_DATA":
            return rest | {"CUSTOM_DATA": variables}
        case "top":
            return rest | variables
        case "none":
            return rest


def encode(record: Record, encoding: Encoding) -> tuple[bytes, str]:
    """The request body and its Content-Type. Forms and XML carry nested data as JSON text."""
    if encoding == "json":
        return _json(record), "application/json"
    if encoding == "array":
        return _json([record]), "application/json"
    if encoding == "string":
        return _json(_text(record)), "application/json"
    nested = {name: _text(value) if isinstance(value, dict) else value for name, value in record.items()}
    if encoding == "nested":
        return _json(nested), "application/json"
    flat = {name: str(value) for name, value in nested.items()}
    if encoding == "form":
        return urlencode(flat).encode(), "application/x-www-form-urlencoded"
    call = "<methodCall><methodName>cdr</methodName><params><param><value><struct>\n"
    body = f"{call}{xml_members(flat.items())}</struct></value></param></params></methodCall>\n"
    return body.encode(), "text/xml; charset=utf-8"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json(value: object) -> bytes:
    return _text(value).encode()
