"""Whether two product names may mean the same product: brand, shape, route, release and, where it tells, strength."""

from __future__ import annotations

from rules.intake import dose_forms, letters, normalise

# What a name may carry beside the brand and still be that brand: devices, releases, packs.
DEVICES = frozenset(
    "flexpen kwikpen solostar flextouch hfa respimat diskus pen pens u 100 xl sr er cr xr la cd"
    " dr ec prefilled tempo day pak"
    " pack fe insulin ellipta digihaler redihaler respiclick 28 21 24 sureclick autoinjector".split()
)


def is_product(*, said: normalise.Said, product: normalise.Said) -> bool:
    """Whether what a name says fits a product of the vocabulary; what one side leaves out fits, but for a release."""
    if said.ingredients and product.ingredients and said.ingredients != product.ingredients:
        return False
    is_plain_solid = said.shape in ("tablet", "capsule") and len(said.ingredients) == 1
    # Strengths of single tablets come and go; those of combinations, pens and inhalers tell one brand from another.
    is_told_by_amounts = bool(said.amounts and product.amounts) and not is_plain_solid
    if is_told_by_amounts and not dose_forms.same_amounts(left=said.amounts, right=product.amounts):
        return False
    if said.shape and product.shape and not shape_fits(stated=said.shape, known=product.shape):
        return False
    if said.route and product.route and said.route != product.route:
        return False
    return not (said.shape and product.shape) or said.release == product.release


def same_brand(left: str, right: str) -> bool:
    """Whether one brand name is the other, but for a device, release or pack; `left` is a key, `right` as printed."""
    one, two = set(left.split()), set(letters.key(text=right).split())
    return (one <= two or two <= one) and (one ^ two) <= DEVICES


def shape_fits(*, stated: str, known: str) -> bool:
    """Whether two shapes are one, or of a kind that people and charts take for each other."""
    return stated == known or any(stated in group and known in group for group in normalise.SHAPES_ALIKE)
