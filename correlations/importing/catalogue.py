"""What the database already holds, looked up once an import, and the small records that rows share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from django.utils.text import slugify

from correlations.importing.citations import Citation
from correlations.importing.gene_names import GENES
from correlations.importing.target_names import TargetNames, approved_name
from correlations.models import Condition, Evidence, GenomicTarget, Practice
from correlations.vocabulary import Origin
from ethics.models import Community, GovernedItem
from ethics.policy import Audience, Purpose

SOURCE = "Phase 3 export"
_OTHER_NAMES = {gene.symbol: gene.other_names for gene in GENES}


@dataclass(frozen=True)
class PracticeReference:
    """What a correlation needs to know of its practice."""

    pk: int
    slug: str
    title: str
    community: str
    is_open: bool


class Catalogue:
    """Look-ups that grow with the import. Used inside one transaction."""

    def __init__(self) -> None:
        targets = GenomicTarget.objects.values_list("symbol", "aliases", "pk")
        self._target_pks = {symbol: pk for symbol, _, pk in targets}
        self._names = TargetNames({symbol: aliases for symbol, aliases, _ in targets})
        self._conditions = {
            name.casefold(): pk for name, pk in Condition.objects.order_by("-pk").values_list("name", "pk")
        }
        self._evidence = dict(Evidence.objects.filter(key__startswith="phase3:").values_list("key", "pk"))
        self._communities = {community.slug: community for community in Community.objects.all()}
        self.slugs = set(Practice.objects.values_list("slug", flat=True))
        self.practices = self._known_practices()
        self.protected_names = {
            name.casefold()
            for names in GovernedItem.objects.exclude(protected_names=[]).values_list("protected_names", flat=True)
            for name in names
        }

    def _known_practices(self) -> dict[str, PracticeReference]:
        open_items = GovernedItem.objects.permitted_for(Purpose.CURATION, Audience.PLATFORM)
        open_pks = set(open_items.filter(practice__origin=Origin.PHASE3.value).values_list("pk", flat=True))
        rows = Practice.objects.filter(origin=Origin.PHASE3.value).values_list(
            "external_id", "pk", "slug", "title", "item__community__slug", "item_id"
        )
        return {
            external_id: PracticeReference(pk, slug, title, community, item in open_pks)
            for external_id, pk, slug, title, community, item in rows
        }

    def symbol_of(self, name: str) -> str:
        """The HGNC symbol that a name means. Raises RowProblem."""
        return self._names.resolve(name)

    def has_target(self, symbol: str) -> bool:
        """Whether the catalogue holds the target."""
        return symbol in self._target_pks

    def target(self, symbol: str, *, named_by: str, target_type: str = "") -> int:
        """The key of a target; one that the catalogue lacks is added without identifiers, which nobody gave."""
        if symbol not in self._target_pks:
            target = GenomicTarget(
                symbol=symbol,
                name=approved_name(symbol),
                aliases=list(_OTHER_NAMES.get(symbol, ())),
                target_type=target_type,
                source=f"{SOURCE}: {named_by}; symbol and name as in the HGNC, without identifiers",
            )
            target.full_clean()
            target.save()
            self._target_pks[symbol] = target.pk
        return self._target_pks[symbol]

    def community(self, given: str) -> Community:
        """The community of an export's id such as 'example_tradition'; an existing one keeps what it says."""
        spaced = given.replace("_", " ")
        slug = slugify(spaced)[:70]
        if not slug or slug != slugify(spaced, allow_unicode=True):
            # Letters were lost: without a mark, two communities could fall on one slug.
            slug = f"{slug[:60] or 'community'}-{sha256(given.encode()).hexdigest()[:8]}"
        if slug not in self._communities:
            name = " ".join(word if word[:1].isupper() else word.capitalize() for word in spaced.split())
            community = Community(slug=slug, name=name or given)
            community.full_clean()
            community.save()
            self._communities[slug] = community
        return self._communities[slug]

    def condition(self, name: str) -> int:
        """The key of a condition by name, whatever its case."""
        if name.casefold() not in self._conditions:
            self._conditions[name.casefold()] = Condition.objects.create(name=name).pk
        return self._conditions[name.casefold()]

    def evidence(self, citations: Iterable[Citation]) -> list[int]:
        """The keys of evidence rows for citations; new ones are unverified and ungraded."""
        wanted = {f"phase3:{citation.key}": citation for citation in citations}
        stored = Evidence.objects.bulk_create(
            Evidence(key=key, reference=citation.reference, pmid=citation.pmid, doi=citation.doi, verified=False)
            for key, citation in wanted.items()
            if key not in self._evidence
        )
        self._evidence.update((evidence.key, evidence.pk) for evidence in stored)
        return [self._evidence[key] for key in wanted]

    def mentions_protected(self, text: str) -> bool:
        """Whether a text holds a protected name of a sacred item."""
        folded = text.casefold()
        return any(name in folded for name in self.protected_names)
