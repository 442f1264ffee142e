"""Alerts: rules about the fleet's readings, the desk that lets each alert out once, and the channels it leaves by."""
