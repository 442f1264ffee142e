"""The floor: Chromium's own protocol over a pipe, and nothing that need not be.

No driver, no queue, no stored results, no firewall, no limits, no log. Pages and contexts are replaced as often as
pagemill replaces them. With `--hidden` pages are never laid out or drawn either.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from typing import Any

from benchmarks.contestants.notes import HEIGHT, READ, WIDTH, Job, now

_PAGE_USES = 10
_CONTEXT_USES = 50


class Pipe:
    """Chromium's end of the protocol."""

    def __init__(self, chromium: str, switches: list[str]) -> None:
        self._profile = tempfile.mkdtemp(prefix="floor-")
        commands_in, self._commands = os.pipe()
        self._answers, answers_out = os.pipe()

        def place_pipes() -> None:
            # Chromium reads commands from descriptor 3 and writes answers to 4; ours may have those numbers themselves.
            high = [os.dup2(descriptor, 100 + number) for number, descriptor in enumerate((commands_in, answers_out))]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        command = [chromium, "--headless", "--remote-debugging-pipe", f"--user-data-dir={self._profile}"]
        window = f"--window-size={WIDTH},{HEIGHT}"
        self.process = subprocess.Popen(
            [*command, window, *switches, "about:blank"],
            close_fds=False,
            preexec_fn=place_pipes,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands_in)
        os.close(answers_out)
        self._next = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._rest = b""
        asyncio.get_running_loop().add_reader(self._answers, self._read)

    def send(self, method: str, session: str = "", /, **parameters: Any) -> asyncio.Future[dict[str, Any]]:
        """The answer's `result`."""
        self._next += 1
        message: dict[str, Any] = {"id": self._next, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._next] = answer
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return answer

    def _read(self) -> None:
        *messages, self._rest = (self._rest + os.read(self._answers, 1 << 20)).split(b"\0")
        for message in messages:
            answer = json.loads(message)
            waiting = self._waiting.pop(answer.get("id"), None)
            if waiting is None:
                continue
            if "error" in answer:
                waiting.set_exception(RuntimeError(answer["error"]["message"]))
            else:
                waiting.set_result(answer["result"])

    async def close(self) -> None:
        """Ends Chromium and removes its profile."""
        self.send("Browser.close")
        await asyncio.to_thread(self.process.wait, 10)
        shutil.rmtree(self._profile, ignore_errors=True)


async def lane(pipe: Pipe, job: Job) -> None:
    """Visits until no URL is left."""
    uses = 0
    context = target = session = ""
    expression = "((url) => location.href === url && (" + READ + ")())"
    while job.urls:
        url = job.urls.pop()
        if uses % _CONTEXT_USES == 0:
            if context:
                await pipe.send("Target.disposeBrowserContext", browserContextId=context)
            context, target = (await pipe.send("Target.createBrowserContext"))["browserContextId"], ""
        if uses % _PAGE_USES == 0:
            if target:
                await pipe.send("Target.closeTarget", targetId=target)
            window = {"windowState": "minimized"} if job.hidden else {}
            created = await pipe.send("Target.createTarget", url="about:blank", browserContextId=context, **window)
            target = created["targetId"]
            session = (await pipe.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        uses += 1
        started = now()
        await pipe.send("Page.navigate", session, url=url)
        facts: Any = False
        while not facts:  # the old document may still be there for a moment
            try:
                answer = await pipe.send(
                    "Runtime.evaluate",
                    session,
                    expression=f"{expression}({json.dumps(url)})",
                    awaitPromise=True,
                    returnByValue=True,
                )
                facts = answer["result"].get("value")
            except RuntimeError:
                continue  # it went away while being asked
        job.note(url, started, facts)
        if job.gap_s:
            await asyncio.sleep(job.gap_s)


async def main() -> None:
    """Works the job off."""
    job = Job()
    pipe = Pipe(job.chromium, job.switches)
    await asyncio.gather(*(lane(pipe, job) for _ in range(job.lanes)))
    await pipe.close()


if __name__ == "__main__":
    asyncio.run(main())
