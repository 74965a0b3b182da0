"""The provider, Voicenter: the only room that speaks its words and sends it requests.

click2call.py   places a call: parameters.py writes it down, transport.py sends it, answer.py reads what came
                back (codes.py, wording.py), exceptions.py judges what did not
cdr.py          reads the final account of a call (cdr_body.py unwraps it, cdr_values.py reads its values)
body.py, xmlrpc.py   bytes to text to plain values, for both
"""
