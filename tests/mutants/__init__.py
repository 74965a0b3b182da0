"""Mutations: small harms done to a copy of the code, each of which has to turn a test red."""
