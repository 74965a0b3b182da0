"""One file a step, numbered; a released step is never edited. There is no way down: restore a backup."""
