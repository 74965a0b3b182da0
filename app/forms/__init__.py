"""What form builders really post → our fields. Pure functions: no I/O, no clock, nothing but the standard library.

payload.py     bytes and content type → a nested value     (brackets.py, multipart.py)
answers.py     the nested value → answers: what it was called, of what type, where it stood
mapping.py     answers → our fields, by override, by type, by name (aliases.py), or by what can only be a number
facts.py       the builder's own id of the submission, when it was sent, whether it is a test
signatures.py  what a builder can prove
meta.py        the one builder whose webhook brings no answers
"""
