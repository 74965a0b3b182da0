"""Voicenter's page and the known facts beside it as tests over HTTP; docs/conformance.md says how to use them."""
