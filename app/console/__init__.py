"""The console: pages for whoever runs the service, behind LEADRING_ADMIN_TOKEN. No script, no cookie but one.

door.py          who is let in: our own pages alone may post, whoever is not signed in is asked to; refusals are pages
sign_in.py       the password, and what is there to look at
read_payload.py  what a form builder's payload becomes (handed_in.py: what was typed, uploaded or chosen;
                 shown_example.py: an example that was chosen)
answer.py        a page as an answer: its headers, its templates in pages/
"""
