"""Replaying a time that is over against other rules, offline, in virtual time. Nothing here speaks to anybody.

habits.py        how agents and leads behaved that day, and what is drawn where nobody knows
calls.py         how one call would have gone
door.py          what the guards make of a submission
spending.py      what the caps count: calls, calls of a number, admissions
course.py        one lead on its way, moved by the same rules as in the service
waiting.py       the leads that wait: put off, told another time, expired (lines.py: whose turn it is)
staff.py         the agents: free, on a call, wrapping up, paused
calling.py       a lead and an agent for each other, until their call is over and known
run.py           the day itself: one moment after the other (agenda.py, boundaries.py)
record.py        the same account of what really happened
figures.py       what is counted; differences.py what changed, in sentences; words.py how it is printed
"""
