"""How far apart two conditions are in the curated map of broader conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from correlations.bundled.rows import ConditionLink
from correlations.scoring import MAX_DISTANCE


@dataclass(frozen=True)
class ConditionMatch:
    """The way from one condition to another: ``distance`` in steps (``same_as`` counts none) and the links walked."""

    distance: int
    links: tuple[ConditionLink, ...]


class ConditionMap:
    """Answers whether evidence on one condition speaks of another.

    It does where one of the two is the other, or lies above it within two steps. Two kinds of one broader condition do
    not speak of each other: evidence on migraine says nothing of toothache, though both are pain.
    """

    def __init__(self, links: Iterable[ConditionLink]) -> None:
        self._upward: dict[str, list[tuple[str, int, ConditionLink]]] = {}
        for link in links:
            cost = 0 if link.kind == "same_as" else 1
            self._upward.setdefault(link.narrower, []).append((link.broader, cost, link))
            if link.kind == "same_as":
                self._upward.setdefault(link.broader, []).append((link.narrower, cost, link))
        self._above: dict[str, dict[str, ConditionMatch]] = {}

    def match(self, indication: str, condition: str) -> ConditionMatch | None:
        """The shortest way between an indication and a condition, links in walking order, or None where they are apart.

        A way up from the indication is taken before an equally long way up from the condition.
        """
        up = self._ways_up(indication).get(condition)
        down = self._ways_up(condition).get(indication)
        if up is not None and (down is None or up.distance <= down.distance):
            return up
        return None if down is None else ConditionMatch(down.distance, tuple(reversed(down.links)))

    def _ways_up(self, start: str) -> dict[str, ConditionMatch]:
        known = self._above.get(start)
        if known is None:
            known = self._above[start] = self._walk_up(start)
        return known

    def _walk_up(self, start: str) -> dict[str, ConditionMatch]:
        best = {start: ConditionMatch(0, ())}
        frontier = [start]
        while frontier:
            place = frontier.pop(0)
            here = best[place]
            for above, cost, link in self._upward.get(place, ()):
                way = ConditionMatch(here.distance + cost, (*here.links, link))
                known = best.get(above)
                if way.distance > MAX_DISTANCE or (known is not None and known.distance <= way.distance):
                    continue
                best[above] = way
                frontier.append(above)
        return best
