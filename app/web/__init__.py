"""How the world reaches us: FastAPI and slowapi live here only; one router per face, thin."""
