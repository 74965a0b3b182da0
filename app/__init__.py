"""Leadring answers website leads by telephone. The life of a lead, one line per file:

1 ../static/widget.js          a visitor leaves name and phone           (or any website form)
  web/hooks.py                 or a form builder tells of one, read by forms/; console/ shows how
2 web/leads.py, web/forms.py   counted, parsed, checked; answered only after step 4
3 service/intake.py            the phone becomes E.164; guards decide; a double click becomes the same lead
4 store/intake.py              the lead is on disk, due now; the dispatcher is woken
5 service/dispatcher.py        takes it, asks domain/routing.py for an agent, writes the attempt (store/claims.py)
                               and why this agent and none of the others (domain/why_not.py; service/explain.py);
                               while the provider fails, service/breaker.py holds it back, and
                               service/switches.py while somebody has switched the dialling off
6 voicenter/click2call.py      leg 1 rings the agent; when answered, leg 2 rings the lead; or the lead first
7 service/line_watch.py        sees on the line how the call goes on, and which agents are busy with others
8 web/voicenter_cdr.py         the provider reports what happened; of what it did not report,
                               service/reconciler.py asks the call log
9 service/outcomes.py          connected, or domain/moves.py says when to try again
10 service/sweeper.py          catches whatever fell silent on the way
"""

__version__ = "0.1.0"
