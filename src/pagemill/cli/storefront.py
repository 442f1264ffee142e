"""`pagemill storefront`."""

from __future__ import annotations

from typing import Annotated

import typer


def storefront(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 picks a free one.")] = 8900,
    shops: Annotated[
        bool, typer.Option("--shops", help="Serve the practice forms of the six shipped shops too.")
    ] = False,
    redesign: Annotated[
        bool, typer.Option("--redesign", help="Show the other design: other classes, other API, other words.")
    ] = False,
    build: Annotated[
        int, typer.Option(min=0, max=999_999_999, help="Hash the class names; another number gives other hashes.")
    ] = 0,
) -> None:
    """Run the practice shop until interrupted.

    Things go wrong in it on demand: add ?fault=hang to a page's address. docs/storefront.md lists all faults.
    """
    from pagemill.demo.front import Front
    from pagemill.demo.storefront import serve_storefront

    def announce(base_url: str) -> None:
        typer.echo(f"practice shop at {base_url}\n  one product: {base_url}/hydrated/p/h-000001\n  stop it with Ctrl+C")

    serve_storefront(host, port, announce, shops=shops, front=Front(redesign, build))
