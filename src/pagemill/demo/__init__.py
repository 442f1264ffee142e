"""The practice shop: pages whose right verdicts are known, with faults on demand. Only `cli` may import it."""
