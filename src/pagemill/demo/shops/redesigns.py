"""The six shops after a redesign: other paths and keys in their APIs, other markup, other words for stock.

Pure tables, used by `demo.redesign`. Addresses of products stay, because customers have them. So do the words of the
services in front of a shop that refuse visitors.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pagemill.demo.redesign import Redesign

_MUSINSA = Redesign(
    paths={"/api2/goods/": "/api/shelf/v3/products/"},
    names={
        "goodsNo": "productNo",
        "goodsNm": "productName",
        "goodsSaleType": "sellingState",
        "goodsPrice": "pricing",
        "normalPrice": "regularPrice",
        "salePrice": "currentPrice",
        "couponPrice": "badgePrice",
        "couponDiscount": "hasBadge",
        "discountRate": "percentOff",
        "isBuyForMember": "membersOnly",
        "thumbnailImageUrl": "coverPath",
        "SALE": "SELLING",
        "SOLDOUT": "NO_STOCK",
        "STOP_SALE": "ENDED",
        "errorCode": "trouble",
        "DISPLAY_000_0006": "PRODUCT_IS_GONE",
        "DISPLAY_000_0002": "PRODUCT_IS_DELETED",
        "NOT_FOUND": "PRODUCT_UNKNOWN",
        "DISPLAY_000_0099": "BUSY_COME_BACK",
    },
    markup=(
        (r"\(await fetch\(path\)\)\.json\(\)", "(await (await fetch(path)).json()).response"),
        (
            r'<span class="GoodsName-sc-(\w+)">([^<]*)</span><div class="Price__DiscountWrap-sc-(\w+)">'
            r'<span class="line-through">([^<]*)</span> (\d+%)<span id="price" class="[^"]*"></span></div>',
            r'<section class="Headline-sc-\1"><h2 class="Title-sc-\1">\2</h2><div class="Amounts-sc-\3"><em>\5</em>'
            r'<b id="amount"></b><del>\4</del></div></section>',
        ),
        ("<p id='price'>", "<p id='amount'>"),
        ("#price", "#amount"),
        (">구매하기</button>", ">지금 주문하기</button>"),
        (">품절</button>", ">매진</button>"),
    ),
)

_ABLY = Redesign(
    paths={"/api/v3/goods/": "/api/v4/items/", "/today": "/picks"},
    names={
        "price_info": "prices",
        "consumer": "regular",
        "thumbnail_price": "discounted",
        "cover_images": "pictures",
        "sale_type": "selling_state",
        "ON_SALE": "SELLING",
        "SOLD_OUT": "NO_STOCK",
        "SALE_STOPPED": "ENDED",
    },
    markup=(
        (r"\(await answer\.json\(\)\)\.goods", "(await answer.json()).response.item"),
        ('"goods":', '"item":'),
        (
            "<p id='name'>([^<]*)</p><p><b id='price'></b></p>",
            r"<div class='head'><h2 id='title'>\1</h2><div><strong id='amount'></strong></div></div>",
        ),
        ("#name", "#title"),
        ("#price", "#amount"),
        (" - 에이블리 스토어", " | 에이블리에서"),
        ("<button disabled>품절</button>", "<button disabled>매진되었습니다</button>"),
        ("<button disabled>재입고 알림 받기</button>", "<button disabled>입고되면 알림 받기</button>"),
        (">구매하기</button>", ">지금 주문하기</button>"),
        ("판매 중인 상품이 아닙니다", "판매를 마친 상품이에요"),
    ),
    data_words=(('"goods":', '"item":'),),
)

_ZIGZAG = Redesign(
    paths={"/api/2/graphql/GetCatalogProductDetailPageOption": "/api/3/graphql/ProductPage"},
    names={
        "pdp_option_info": "product_page",
        "catalog_product": "catalog_item",
        "sales_status": "selling_state",
        "display_status": "shown_state",
        "product_price": "pricing",
        "max_price_info": "regular_price_info",
        "final_discount_info": "lowered_price_info",
        "discount_price": "lowered_price",
        "display_final_price": "shown_price",
        "matched_item_list": "option_list",
        "product_image_list": "picture_list",
        "pdp_thumbnail_url": "picture_url",
        "ON_SALE": "SELLING",
        "SOLD_OUT": "NO_STOCK",
        "SUSPENDED": "PAUSED",
    },
    markup=(
        (r"= await answer\.json\(\);", "= (await answer.json()).response;"),
        ("<h1 id='name'>([^<]*)</h1>", r"<div class='head'><strong id='title'>\1</strong></div>"),
        ("#name", "#title"),
        ('"product": {', '"detail": {'),
    ),
)

_KURLY = Redesign(
    names={
        "retailPrice": "consumerPrice",
        "basePrice": "normalPrice",
        "discountedPrice": "eventPrice",
        "mainImageUrl": "coverUrl",
        "discountRate": "percentOff",
    },
    markup=(
        (r"\.then\(\(\{ data \}\) =>", ".then(({ response: { data } }) =>"),
        ('"isSoldOut": true', '"stockState": "NONE"'),
        ('"isSoldOut": false', '"stockState": "PLENTY"'),
        ('"isSoldOut": null', '"stockState": null'),
        ('"product": ', '"goodsDetail": '),
        (
            "<h1>([^<]*)</h1><p><b>([^<]*)</b> ([^<]*) <s>([^<]*)</s></p>",
            r"<div class='top'><h2 class='goods-title'>\1</h2><div><s>\4</s> <strong>\3</strong> <b>\2</b></div></div>",
        ),
        (">장바구니 담기</button>", ">지금 담기</button>"),
        (">재입고 알림 받기</button>", ">매진</button>"),
        ("페이지를 찾을 수 없습니다", "없는 페이지예요"),
    ),
)

_OLIVEYOUNG_WORDS = (
    (">일시품절<", ">지금은 매진<"),
    (">품절<", ">매진<"),
    (">판매중지<", ">판매종료<"),
    (">장바구니<", ">담기<"),
    (">바로구매<", ">지금 주문<"),
)
_OLIVEYOUNG = Redesign(
    paths={"/goods/view/detail": "/goods/v2/view", "/m/goods/nogoods.do": "/m/goods/missing.do"},
    markup=(
        (r"const view = await (.*?\.json\(\));", r"const view = (await \1).response;"),
        ("prd_detail_box", "goods-detail"),
        ("prd_img", "goods-picture"),
        ("prd_info", "goods-facts"),
        ("<p class='prd_name'>([^<]*)</p>", r"<h2 class='goods-title'>\1</h2>"),
        ("class='price'", "class='goods-cost'"),
        ("prd_btn_area", "goods-actions"),
        ("btnSoldout", "none-left"),
        ("btnBasket", "go-basket"),
        ("btnBuy", "go-buy"),
        ("error_title", "notice_title"),
        ("상품을 찾을 수 없어요", "지금은 없는 상품이에요"),
        *_OLIVEYOUNG_WORDS,
    ),
    data_words=(
        (
            r"<div class='Goods_(\w+)'><div class='Brand_(\w+)'>([^<]*)</div><div class='Name_\w+'>"
            r"<h3 class='Text_(\w+)'>([^<]*)</h3></div><div class='Price_(\w+)'>(.*?)</div></div>",
            r"<section class='Card_\1'><div class='Cost_\6'>\7</div><strong class='Heading_\4'>\5</strong>"
            r"<small class='Maker_\2'>\3</small></section>",
        ),
        ("swiper-slide swiper-slide-active", "photo photo-now"),
        ("swiper-slide", "photo"),
        *_OLIVEYOUNG_WORDS,
    ),
)

_HWAHAE = Redesign(
    paths={"/v14/commerce/goods/": "/v15/commerce/items/"},
    names={
        "consumer_price": "regular_price",
        "sale_status": "selling_state",
        "title_images": "pictures",
        "SELNG": "ON",
        "SLDOT": "OUT",
        "STSEL": "END",
    },
)

REDESIGNS: Mapping[str, Redesign] = MappingProxyType(
    {
        "musinsa": _MUSINSA,
        "ably": _ABLY,
        "zigzag": _ZIGZAG,
        "kurly": _KURLY,
        "oliveyoung": _OLIVEYOUNG,
        "hwahae": _HWAHAE,
    }
)
"""The redesign of each shop."""
