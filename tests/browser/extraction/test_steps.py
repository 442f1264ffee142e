"""What a page needs before it is read: each kind of step, with pages of either kind, in real Chromium."""

from __future__ import annotations

import pytest

from pagemill.errors import StepFailed
from tests.browser.extraction.local_shop import LocalShop, answer, html
from tests.browser.extraction.shop_reader import Read, ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS = "extract: {fields: {name: h1, price: {selector: .price, type: number}}}\n"
READY = "extract: {ready: h1, fields: {name: h1, price: {selector: .price, type: number}}}\n"
EXPECTED = {"name": "Blue cup", "price": 12900}
HEAD = "<!doctype html><meta charset=utf-8><body><h1>Blue cup</h1>"
PRICE = "<p class=price>12,900</p>"
EMPTY = "<p class=price></p>"
SET = "document.querySelector('.price').textContent = '12,900';"
WHOLE = f"<!doctype html><meta charset=utf-8><body><h1>Blue cup</h1>{PRICE}"


def steps(*written: str, extract: str = FIELDS) -> str:
    """A platform with these steps."""
    return f"{extract}steps:\n" + "".join(f"  - {step}\n" for step in written)


def outcomes(read: Read) -> list[str]:
    """What came of each step."""
    return [step.outcome for step in read.reading.steps]


async def test_a_wall_is_clicked_away(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """It comes after a moment and writes the content when it has gone; nobody sees the other one."""
    wall = (
        "<button class=ok style='display:none' onclick='document.body.innerHTML=1'>no</button>"
        "<script>setTimeout(() => { const b = document.createElement('button'); b.className = 'ok';"
        f"b.textContent = 'OK'; b.onclick = () => {{ b.remove(); {SET} }}; document.body.append(b); }}, 300)</script>"
    )
    local_shop.replies["/"] = html(f"{HEAD}{EMPTY}{wall}")
    read = await shop_reader.read(steps("dismiss: {selector: .ok, within_ms: 8000}"), local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["clicked"]), read.judgement
    assert read.reading.steps[0].step == "dismiss .ok"


async def test_a_wall_that_is_not_there_fails_nothing(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Nor does one that is hidden, or that no browser could find; each is told."""
    local_shop.replies["/"] = html(f"{WHOLE}<b class=off hidden>x</b><button disabled>y</button>")
    read = await shop_reader.read(
        steps(
            "dismiss: {selector: .none, within_ms: 50}",
            "dismiss: {selector: .off, within_ms: 50}",
            "dismiss: {selector: button, within_ms: 50}",
            "dismiss: {selector: 'a:hoover', within_ms: 50}",
        ),
        local_shop.url("/"),
        EXPECTED,
    )
    assert read.verdict == "ok", read.judgement
    *known, unreadable = outcomes(read)
    assert known == [
        "was not there within 50 ms",
        "was there, but hidden, for 50 ms",
        "was there, but disabled, for 50 ms",
    ]
    assert "not a valid selector" in unreadable


async def test_a_click_shows_what_was_not_there(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Also in an open shadow root; the handlers come with a script that takes its time."""
    local_shop.replies |= {
        "/": html(
            f"{HEAD}{EMPTY}<shop-box></shop-box><script>const root = document.querySelector('shop-box')"
            ".attachShadow({mode: 'open'}); root.innerHTML = '<button class=more>More</button>';</script>"
            "<script src=/app.js></script>"
        ),
        "/app.js": html(
            f"root.querySelector('.more').onclick = () => {{ setTimeout(() => {{ {SET} }}, 200) }}", delay_s=0.5
        ),
    }
    shop = steps("click: .more", "wait_for: .price:not(:empty)")
    read = await shop_reader.read(shop, local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["clicked", "was there"]), read.judgement


async def test_a_field_that_is_silent_after_a_click_is_given_time(
    shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Although the ready sign has been there all the time."""
    local_shop.replies["/"] = html(
        f"{HEAD}{EMPTY}<button>More</button><script>document.querySelector('button').onclick = () =>"
        f" {{ setTimeout(() => {{ {SET} }}, 200) }};</script>"
    )
    read = await shop_reader.read(steps("click: button", extract=READY), local_shop.url("/"), EXPECTED)
    assert read.verdict == "ok", read.judgement


async def test_an_answer_that_a_click_brings_is_captured(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """And what the page fetched before counts as well, however long the steps take."""
    local_shop.replies |= {
        "/p/101": html(
            "<!doctype html><body><button>More</button><script>fetch('/api/101/name');"
            "document.querySelector('button').onclick = () => fetch('/api/101/price');</script>"
        ),
        "/api/101/name": answer({"id": 101, "name": "Blue cup"}),
        "/api/101/price": answer({"id": 101, "price": 12900}),
    }
    shop = steps(
        "run: await new Promise((go) => setTimeout(go, 700))",
        "click: button",
        extract="product: {id: '/p/(?P<id>\\d+)'}\nextract: {sources: ["
        "{strategy: api_capture, match: '/api/{id}/name', within_ms: 500, fields: {name: name}},"
        "{strategy: api_capture, match: '/api/{id}/price', fields: {price: price}}]}\n",
    )
    read = await shop_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["ran", "clicked"]), read.judgement


async def test_what_a_click_leads_to_is_read(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Though the page before it says everything, and the shop takes its time: the address is the product's still."""
    local_shop.replies["/p/101/blue"] = html(WHOLE, delay_s=0.7)
    local_shop.replies["/p/101"] = html(f"{HEAD}<p class=price>1</p><a href='/p/101/blue'>Blue</a>")
    read = await shop_reader.read(steps("click: a"), local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("ok", local_shop.url("/p/101/blue")), read.judgement
    assert outcomes(read) == ["clicked, which led to another document"]


async def test_what_would_open_another_window_opens_here(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Nobody reads another one."""
    local_shop.replies |= {
        "/p/101": html(f"{HEAD}<base target=_blank><p class=price>1</p><a href=/p/101/form>Blue</a>"),
        "/p/101/form": html(f"{HEAD}<p class=price>1</p><form action=/p/101/blue target=_blank><input></form>"),
        "/p/101/blue": html(WHOLE),
    }
    shop = steps("click: a", "press: {key: Enter, selector: input}")
    read = await shop_reader.read(shop, local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, outcomes(read)) == (
        "ok",
        ["clicked, which led to another document", "pressed, which led to another document"],
    ), read.judgement


async def test_a_click_that_leads_elsewhere_is_failed(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Where a visit ends counts, however it came there."""
    local_shop.replies |= {"/p/101": html(f"{WHOLE}<a href=/home>Home</a>"), "/home": html(WHOLE)}
    read = await shop_reader.read(steps("click: a"), local_shop.url("/p/101"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("failed", local_shop.url("/home")), read.judgement


async def test_a_page_that_takes_a_link_over_is_not_waited_for(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Shops of one document stay in it, by either of the two ways."""
    local_shop.replies["/p/1"] = html(
        f"{HEAD}{EMPTY}<a id=one href='?v=1'>1</a><a id=two href='?v=2'>2</a><script>"
        "one.onclick = (event) => event.preventDefault();"
        f"navigation.onnavigate = (event) => event.intercept({{ handler: async () => {{ {SET} }} }});</script>"
    )
    shop = steps("click: '#one'", "click: '#two'")
    read = await shop_reader.read(shop, local_shop.url("/p/1"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["clicked", "clicked"]), read.judgement
    assert read.reading.url == local_shop.url("/p/1?v=2")


async def test_a_field_is_filled_and_a_key_sends_it(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """The page hears of each as of a visitor's; Enter sends the form, to a document that the visit goes on in."""
    local_shop.replies |= {
        "/p/1": html(
            f"{HEAD}<p class=price>1</p><form action=/p/1/there><input id=zip name=zip><select id=size name=size>"
            "<option value=s>Small</option><option value=m>Middle</option></select><button>Go</button></form>"
            "<script>zip.addEventListener('input', () => { zip.value += '!' });"
            "size.addEventListener('change', () => { zip.name = 'code' });</script>"
        ),
        "/p/1/there": html(WHOLE),
    }
    shop = steps(
        "fill: {selector: '#zip', text: '04524'}",
        "fill: {selector: '#size', text: middle}",
        "press: {key: Enter, selector: '#zip'}",
    )
    read = await shop_reader.read(shop, local_shop.url("/p/1"), EXPECTED)
    assert read.verdict == "ok", read.judgement
    assert outcomes(read) == ["filled in", "filled in", "pressed, which led to another document"]
    assert "/p/1/there?code=04524%21&size=m" in local_shop.asked


async def test_keys_are_heard_where_the_focus_is(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """With the codes that shops ask for; Space presses a button."""
    local_shop.replies["/"] = html(
        f"{HEAD}{EMPTY}<input id=field><button>b</button><script>const heard = [];"
        "document.onkeydown = (event) => heard.push(event.key + event.keyCode);"
        f"document.querySelector('button').onclick = () => {{ if (heard.join() === 'Escape27,a65, 32') {{ {SET} }} }};"
        "</script>"
    )
    shop = steps("press: Escape", "press: {key: a, selector: '#field'}", "press: {key: Space, selector: button}")
    read = await shop_reader.read(shop, local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["pressed"] * 3), read.judgement


async def test_a_text_is_waited_for_where_it_is_seen(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Not in what is hidden, and however it is spaced."""
    local_shop.replies["/"] = html(
        f"{HEAD}<p hidden>Price is  shown</p><p class=price>1</p><script>setTimeout(() => {{ {SET}"
        "const p = document.createElement('p'); p.innerHTML = 'price <b>IS</b>\\n shown';"
        "document.body.append(p); }, 400)</script>"
    )
    read = await shop_reader.read(steps("wait_for: {text: Price is shown}"), local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["was there"]), read.judgement


async def test_steps_find_what_fields_and_signs_find(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """A space crosses into a shadow root, a text is seen there, and a field for long texts can be filled in."""
    local_shop.replies["/"] = html(
        f"{HEAD}{EMPTY}<shop-box></shop-box><script>const root = document.querySelector('shop-box')"
        ".attachShadow({mode: 'open'}); root.innerHTML = '<textarea></textarea><button>More</button>';"
        f"root.querySelector('button').onclick = () => {{ {SET}"
        " root.append('For ' + root.querySelector('textarea').value); };</script>"
    )
    shop = steps(
        "fill: {selector: shop-box textarea, text: Kim}", "click: shop-box button", "wait_for: {text: for kim}"
    )
    read = await shop_reader.read(shop, local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["filled in", "clicked", "was there"]), read.judgement


@pytest.mark.parametrize("extract", [FIELDS, READY], ids=["no ready", "ready"])
@pytest.mark.parametrize("to", ["end", ".price"])
async def test_a_price_that_is_fetched_in_view_is_read(
    to: str, extract: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Far below, where the page grows on the way."""
    local_shop.replies |= {
        "/": html(
            f"{HEAD}<div style='height:4000px'></div><div id=late></div><div style='height:3000px'></div>{EMPTY}"
            "<div style='height:3000px'></div><script>"
            "const seen = (what, then) => new IntersectionObserver((all) => { if (all[0].isIntersecting) then() })"
            ".observe(document.querySelector(what));"
            "seen('#late', () => { late.style.height = '2000px' });"
            f"seen('.price', () => fetch('/price').then(() => {{ {SET} }}));</script>"
        ),
        "/price": html("", delay_s=0.2),
    }
    without = await shop_reader.read(extract, local_shop.url("/"), EXPECTED)
    assert without.verdict == "failed"
    shop = steps(f"scroll: {{to: {to}, within_ms: 20000}}", extract=extract)
    read = await shop_reader.read(shop, local_shop.url("/"), EXPECTED, timeout_s=30)
    assert read.verdict == "ok", (read.judgement, read.reading.steps)
    (outcome,) = outcomes(read)
    assert outcome.startswith("at the end" if to == "end" else "in view")


async def test_a_page_without_an_end_is_scrolled_as_long_as_the_step_may(
    shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """That is told, and no failure."""
    local_shop.replies["/"] = html(
        f"{WHOLE}<div style='height:3000px'></div><script>onscroll = () => {{ const more = document.createElement('p');"
        "more.style.height = '2000px'; document.body.append(more); };</script>"
    )
    read = await shop_reader.read(steps("scroll: {to: end, within_ms: 600}"), local_shop.url("/"), EXPECTED)
    assert read.verdict == "ok", read.judgement
    (outcome,) = outcomes(read)
    assert outcome.startswith("stopped at")


async def test_a_page_of_another_layout_is_loaded_again(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """As shops have that try two of them out."""
    local_shop.replies["/"] = html(
        f"{HEAD}<script>const again = document.cookie.includes('again'); document.cookie = 'again=1';"
        f"if (again) document.body.insertAdjacentHTML('beforeend', '<p class=new></p>{PRICE}');"
        "else document.body.insertAdjacentHTML('beforeend', '<p class=price>1</p>');</script>"
    )
    shop = steps("reload_unless: {selector: .new, within_ms: 300}", "reload_unless: .new")
    read = await shop_reader.read(shop, local_shop.url("/"), EXPECTED)
    assert read.verdict == "ok", read.judgement
    assert outcomes(read) == ["was there after the page was loaded again", "was there"]
    assert local_shop.asked.count("/") == 2


async def test_a_layout_that_stays_the_wrong_one_is_failed(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Then a retry, in a fresh context, may have more luck."""
    local_shop.replies["/"] = html(WHOLE)
    with pytest.raises(StepFailed, match=r"step 1 \(reload unless \.new\): was not there after the page") as caught:
        await shop_reader.read(steps("reload_unless: {selector: .new, within_ms: 50}"), local_shop.url("/"), EXPECTED)
    assert caught.value.retryable


async def test_a_script_runs_among_the_pages_own(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """It reaches their variables, may wait, and may lead to another document."""
    local_shop.replies |= {
        "/p/1": html(f"{HEAD}<p class=price>1</p><script>const shop = {{ to: '/p/1/there' }};</script>"),
        "/p/1/there": html(WHOLE, delay_s=0.4),
    }
    script = "await new Promise((go) => setTimeout(go, 50)); location.href = shop.to"
    read = await shop_reader.read(steps(f"run: '{script}'"), local_shop.url("/p/1"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["ran, which led to another document"]), read.judgement


FAILING = {
    "click: {selector: .more, within_ms: 100}": "click .more): was not there within 100 ms",
    "click: {selector: .off, within_ms: 100}": "click .off): was there, but hidden, for 100 ms",
    "fill: {selector: h1, text: x, within_ms: 100}": "fill h1): was there, but takes no text, for 100 ms",
    "wait_for: {text: Nowhere, within_ms: 100}": "wait for 'Nowhere'): was not there within 100 ms",
    "scroll: {to: .more, within_ms: 100}": "scroll to .more): was not there within 100 ms",
    "run: throw new Error('no shop')": "): failed: Error: no shop",
    "run: {script: await new Promise(() => 1), within_ms: 100}": "): did not end within 100 ms",
    "run: x =": "): failed: SyntaxError",
    "click: {selector: a, within_ms: 100}": "click a): led to a document that did not come",
}


@pytest.mark.parametrize(("step", "message"), FAILING.items(), ids=FAILING)
async def test_a_step_that_cannot_be_done_fails_the_visit(
    step: str, message: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """Its number, what it is and why are the reason; what came of those before it is kept for `try`."""
    local_shop.replies |= {
        "/": html(f"{WHOLE}<b class=off hidden>x</b><a href=/never>never</a>"),
        "/never": html("", delay_s=60),
    }
    with pytest.raises(StepFailed) as caught:
        await shop_reader.read(steps("wait_for: h1", step), local_shop.url("/"), EXPECTED, timeout_s=5)
    assert str(caught.value).startswith("step 2 (")
    assert message in str(caught.value)
    assert [line.split(",")[0] for line in caught.value.before] == ["wait for h1: was there"]


async def test_a_sign_says_more_than_the_step_that_failed_for_it(
    shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """What is gone has no buttons."""
    local_shop.replies |= {
        "/": html(f"{HEAD}<p>No longer available</p>"),
        "/p/1": html("<script>location='/'</script>"),
    }
    shop = steps("click: {selector: .more, within_ms: 200}") + "judge: {gone: {text: [no longer available]}}"
    read = await shop_reader.read(shop, local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("gone", ["was not there within 200 ms"]), read.judgement
    read = await shop_reader.read(steps("click: {selector: .more, within_ms: 200}"), local_shop.url("/p/1"), EXPECTED)
    assert (read.verdict, read.reading.url) == ("failed", local_shop.url("/")), read.judgement


async def test_a_page_cannot_lie_about_its_steps(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """What its scripts and names replace, they replace for themselves."""
    local_shop.replies["/"] = html(
        f"{HEAD}{EMPTY}<img name=querySelectorAll><img name=body><form name=activeElement></form>"
        f"<button>More</button><script>document.querySelector('button').onclick = () => {{ {SET} }};"
        "HTMLElement.prototype.click = Document.prototype.querySelectorAll = () => { throw 1 };"
        "Object.prototype.then = (go) => go({done: true});</script>"
    )
    read = await shop_reader.read(steps("click: button", "press: Escape"), local_shop.url("/"), EXPECTED)
    assert (read.verdict, outcomes(read)) == ("ok", ["clicked", "pressed"]), read.judgement


async def test_a_script_without_an_end_fails_its_step(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """The page that it holds is asked for no reason any more than a moment."""
    local_shop.replies["/"] = html(WHOLE)
    with pytest.raises(StepFailed, match="did not end within 300 ms"):
        await quick_reader.read(
            steps("run: {script: 'while (true) {}', within_ms: 300}"), local_shop.url("/"), EXPECTED
        )


async def test_a_step_waits_for_what_loads_and_not_for_ever(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """Its own time begins when the document has loaded; a frame that never answers holds it up once."""
    local_shop.replies |= {
        "/": html(f"{HEAD}{EMPTY}<button>b</button><script src=/app.js></script><iframe src=/never></iframe>"),
        "/app.js": html(f"document.querySelector('button').onclick = () => {{ {SET} }}", delay_s=0.7),
        "/never": html("", delay_s=60),
    }
    shop = steps("click: {selector: button, within_ms: 100}", "click: {selector: button, within_ms: 100}")
    read = await quick_reader.read(shop, local_shop.url("/"), EXPECTED, timeout_s=20)
    assert (read.verdict, outcomes(read)) == ("ok", ["clicked", "clicked"]), read.judgement
    assert read.reading.steps[0].took_ms > read.reading.steps[1].took_ms


async def test_steps_have_no_more_time_than_the_visit(shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """Whatever they are allowed themselves."""
    local_shop.replies["/"] = html(WHOLE)
    with pytest.raises(StepFailed, match="step 1"):
        await shop_reader.read(
            steps("click: {selector: .more, within_ms: 60000}"), local_shop.url("/"), EXPECTED, timeout_s=2
        )
