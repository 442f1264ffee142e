"""Words of schema.org that the page's script and Python both go by: types that are sold, and properties that are read.

All in small letters; pages write them in any.
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
"""Types of a thing that is sold. What is of another type counts as one where it has offers."""

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
"""What is read of a microdata or RDFa item. Reviews, ratings and other products are not."""
