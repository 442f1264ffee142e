"""The JavaScript that runs in pages: what reads them, waits in them, asks from them and does steps in them."""
