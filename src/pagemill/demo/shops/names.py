"""Words for the names of the shops' products: what each kind of shop sells, with awkward characters.

Pure data. No word may be one with which a shop says that a product is not available.
"""

from __future__ import annotations

_CLOTHES = (
    ("하이컷", "모노로우", "Maison Yul", "데일리무드", "STUDIO 6", "온더로즈"),
    ("오버핏 코튼 셔츠", "와이드 데님 팬츠", "울 블렌드 니트", "린넨 셋업", "Classic Rain Jacket", "플리츠 스커트"),
)
_FOOD = (
    ("산들농원", "KF365", "바다로 간 어부", "Farm & Table", "골목식당", "우리밀제과"),
    (
        "무항생제 대란 20구",
        "친환경 시금치 200g",
        "수제 그릭요거트",
        "부채살 스테이크 250g",
        "제주 감귤 3kg",
        "사워도우",
    ),
)
_COSMETICS = (
    ("라운드온", "Dr. Seed", "물빛연구소", "에이플랜", "MUSE & CO", "초록정원"),
    (
        "수분 진정 크림 50ml",
        "비타민C 세럼 30ml",
        "약산성 클렌징폼",
        "톤업 선크림 SPF50+",
        "Cica Toner 300ml",
        "립 틴트",
    ),
)
WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "musinsa": _CLOTHES,
    "ably": _CLOTHES,
    "zigzag": _CLOTHES,
    "kurly": _FOOD,
    "oliveyoung": _COSMETICS,
    "hwahae": _COSMETICS,
}
"""The brands and goods of each shop."""

TAILS = ("", " (2 COLOR)", " 1+1", " & 파우치 세트", ' "한정"', " <기획>", " [단독] M-L", " Men's", " - 리뉴얼 전")
