"""The demo's schools: who works there, the simulated MIS of each, and what happens in a night.

Uses the services that pages and the agent use; starts no servers (`hub.embedded.demo` does).
"""
