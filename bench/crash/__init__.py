"""The crash campaign: real processes of the service are killed, frozen and cut off while leads come in, and then
everybody's books are laid side by side (`make crash`, docs/reliability.md).

A campaign, file by file:

    plan.py        how many faults of which kind, drawn from a seed
    launcher.py    starts replicas without paying for their imports each time; processes.py speaks to it
    replica.py     one replica: one life after the other, each with its fault
    nemesis.py     what else goes wrong: PostgreSQL, Redis, the provider's door
    provider.py    rings and then answers well, late, cut, nonsense; reports.py tells how its calls went
    visitors.py    people who send the form, insist, and remember what they were promised
    world.py       one database with its replicas, provider and visitors, from the first lead to the last row
    history.py     what everybody remembers; books.py reads what the database says
    checker.py     lays the books side by side: lost, doubled, overlapping, unaccounted …
    campaign.py    all worlds at once, bounded; table.py prints what came of it
"""
