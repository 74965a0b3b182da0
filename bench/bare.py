"""The yardstick: a FastAPI endpoint with a body model and a response model, and nothing behind it."""

from __future__ import annotations

import argparse

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Body(BaseModel):
    """What the visitors send."""

    phone: str
    site: str
    name: str
    email: str
    message: str
    consent: str
    consent_text: str
    page_url: str
    referrer: str
    utm_source: str
    source: str
    submission_id: str | None = None


class Answer(BaseModel):
    """What the service answers."""

    lead_id: str
    outcome: str
    status_url: str
    expected_call_at: str | None
    message: str


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """It answers."""
    return {"status": "pass"}


@app.post("/v1/leads", status_code=202)
async def submit(body: Body) -> Answer:
    """Read, validated, answered."""
    return Answer(
        lead_id="0192aaaa-0000-7000-8000-000000000000",
        outcome="waiting",
        status_url="/v1/leads/0192aaaa-0000-7000-8000-000000000000?token=abcdefghijklmnopqrstuvwx",
        expected_call_at=None,
        message=f"{body.name}: all of our agents are on the phone; we will call you back soon.",
    )


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=parser.parse_args().port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        ws="none",
    )


if __name__ == "__main__":
    main()
