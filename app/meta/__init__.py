"""The one outgoing question of the webhooks: Meta tells of a lead by its id, and is asked for what was filled in."""
