"""Words of schema.org that both the page's script and Python use: types that are sold, and properties that are read.

All are in small letters; pages may write them in any.
"""

from __future__ import annotations

PRODUCT_TYPES = (
    "product",
    "productgroup",
    "productmodel",
    "productcollection",
    "individualproduct",
    "someproducts",
    "dietarysupplement",
    "drug",
    "vehicle",
    "car",
    "motorcycle",
    "motorizedbicycle",
    "busorcoach",
    "book",
    "audiobook",
    "movie",
    "game",
    "videogame",
    "softwareapplication",
    "mobileapplication",
    "webapplication",
    "musicalbum",
    "musicrelease",
)
"""Types of things that are sold. A thing of another type counts only if it has offers."""

OFFERS = ("offers", "offerdetails")
"""The second is that of data-vocabulary.org, which schema.org has replaced."""

PROPERTIES = (
    *("name", "brand", "sku", "productid", "url", "image", "contenturl", "additionaltype"),
    *("mainentity", "mainentityofpage", "maincontentofpage", "about", "itemoffered", "makesoffer", *OFFERS),
    *("hasvariant", "isvariantof", "inproductgroupwithid", "productgroupid"),
    *("color", "size", "pattern", "material", "additionalproperty"),
    *("price", "pricecurrency", "currency", "lowprice", "highprice", "listprice", "msrp", "pricespecification"),
    *("pricetype", "pricecomponent", "valueaddedtaxincluded", "referencequantity", "eligiblequantity", "minvalue"),
    *("value", "billingduration", "billingincrement", "validformembertier", "businessfunction"),
    *("availability", "itemcondition", "inventorylevel"),
)
"""Properties that are read of a microdata or RDFa item. Reviews, ratings and other products are left out."""
