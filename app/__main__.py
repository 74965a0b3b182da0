"""`python -m app …` is `leadring …`."""

from app.cli import main

main()
