"""What form builders really post → our fields. Pure functions: no I/O and no clock, so that what was kept reads again.

payload.py      bytes and content type → a nested value (brackets.py, json_value.py, multipart.py)
answers.py      the nested value → answers: what was said, what it was called, where it stood (shapes.py, titles.py)
mapping.py      answers → our fields: what the operator wrote (overrides.py), type or name (claims.py, aliases.py,
                keys.py, vocabulary.py), the person and the number (people.py, numbers.py), all the rest (extras.py)
presets.py      what is known of each builder; recognising.py tells which one it is
facts.py        the builder's own id of the submission, when it was sent, whether it is a test
signatures.py   what a builder can prove
meta.py         the one builder whose webhook brings no answers
learning.py     from a captured payload (captured.py) to what has to stand in leadring.toml (map_lines.py)
evidence.py     by what, and how surely, something is one of our fields
"""
