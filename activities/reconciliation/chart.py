"""A picture of the breaks of one currency: a bar for each class, its ages from pale to dark."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element

from activities.reconciliation import words
from activities.reconciliation.markup import element
from workflows.reconciliation.books import BreakClass
from workflows.reconciliation.certificate import AGES, Age, BreakTotal

_WIDTH, _LABEL, _FIGURE = 720, 190, 150
_BAR, _GAP, _TOP = 18, 10, 30
_LEAST = 2
"""Units of width that the smallest part has: what is there can be seen."""


def chart(breaks: Sequence[BreakTotal], written: Callable[[int], str]) -> Element:
    """Bars of the amounts at risk, the greatest class first. All breaks are of one currency."""
    amounts: dict[BreakClass, dict[Age, BreakTotal]] = defaultdict(dict)
    for one in breaks:
        amounts[one.break_class][one.age] = one
    by_class = sorted(amounts.items(), key=lambda kind: (-_at_risk(kind[1]), kind[0]))
    greatest = max((_at_risk(of_class) for _, of_class in by_class), default=0) or 1
    height = _TOP + len(by_class) * (_BAR + _GAP)
    drawn = element(
        "svg",
        element("title", "Breaks by class and age, by amount at risk"),
        _legend(),
        class_="chart",
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
    )
    for row, (break_class, of_class) in enumerate(by_class):
        top = _TOP + row * (_BAR + _GAP)
        middle = top + _BAR - 5
        drawn.append(
            element("text", words.BREAK[break_class], x=_LABEL - 10, y=middle, class_="label")
        )
        left = float(_LABEL)
        for age in AGES:
            if age not in of_class:
                continue
            share = of_class[age].at_risk_minor / greatest
            width = max(share * (_WIDTH - _LABEL - _FIGURE), _LEAST)
            told = f"{words.AGE[age]}: {written(of_class[age].at_risk_minor)}"
            drawn.append(
                element(
                    "rect",
                    element("title", told),
                    x=f"{left:.1f}",
                    y=top,
                    width=f"{width:.1f}",
                    height=_BAR,
                    class_=_shade(age),
                )
            )
            left += width
        drawn.append(
            element(
                "text", written(_at_risk(of_class)), x=f"{left + 8:.1f}", y=middle, class_="figure"
            )
        )
    return drawn


def _legend() -> Element:
    legend = element("g", class_="legend")
    for place, age in enumerate(AGES):
        left = _LABEL + place * 100
        legend.append(element("rect", x=left, y=2, width=12, height=12, class_=_shade(age)))
        legend.append(element("text", words.AGE[age], x=left + 17, y=12))
    return legend


def _shade(age: Age) -> str:
    return f"age-{AGES.index(age)}"


def _at_risk(of_class: dict[Age, BreakTotal]) -> int:
    return sum(one.at_risk_minor for one in of_class.values())
