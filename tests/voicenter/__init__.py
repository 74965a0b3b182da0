"""The provider client against raw sockets, tables and whatever bytes hypothesis thinks of."""
