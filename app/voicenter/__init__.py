"""The provider, Voicenter: the only room that speaks its words and sends it requests.

click2call.py     places a call and hangs up: parameters.py writes it down (destinations.py, parameter_values.py),
                  transport.py sends it, answer.py reads what came back (codes.py, wording.py), exceptions.py
                  judges what did not, telling.py tells the log and the counters
active_calls.py   who is there and on the line; roster.py which extensions there are; call_log.py what was
                  recorded: all three ask through questions.py, read-only
cdr.py            reads the final account of a call, pushed or from the call log (cdr_body.py unwraps it,
                  cdr_values.py reads its values, custom_data.py finds our variables)
body.py, xmlrpc.py   bytes to text to plain values, for all of them
"""
