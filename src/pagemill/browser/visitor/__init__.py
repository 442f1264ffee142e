"""Whom the shop sees: device, headers, cookies, passwords, and the proxy that it comes from."""
