"""How a release came about and what may be done with it, in Croissant's terms: RAI 1.0, PROV and ODRL."""

from typing import Any

from . import privacy, statements
from .about import BROWSER, DEVICE, IMPORT, RECALL_DAYS, About
from .summary import Summary


def responsible(about: About, summary: Summary) -> dict[str, Any]:
    """The fields of RAI."""
    cleared = privacy.cleared(about)
    fields = {
        "dataCollection": " ".join(statements.how_recorded(about)),
        "dataCollectionType": _collection_types(about),
        "dataCollectionMissingData": (
            "Seconds in which something private was heard are silent. Withdrawn clips are missing; until the "
            "next recall feed, they are silent and their words are blank."
        ),
        "dataPreprocessingProtocol": [statements.processing()],
        "dataManipulationProtocol": " ".join(privacy.DISGUISE) if about.is_disguised else "",
        "dataAnnotationProtocol": " ".join(statements.annotation(about, summary)),
        "dataAnnotationPlatform": [about.site],
        "dataAnnotationAnalysis": statements.measured(about.figures),
        "annotationsPerItem": _per_item(about),
        "annotatorDemographics": ["Not collected.", statements.WHO_ANNOTATES],
        "machineAnnotationTools": statements.machines(about) or ["None: people labelled it."],
        "personalSensitiveInformation": [
            privacy.personal(about),
            *([cleared.looked_for, *cleared.counts, *cleared.means] if cleared else []),
            *(privacy.DISGUISE if about.is_disguised else ()),
            *privacy.small_groups(about.figures),
            privacy.checksums(about),
            *statements.single_votes(about),
        ],
        "dataBiases": [statements.who_speaks(about)],
        "dataLimitations": [*statements.limitations(about), f"Out of scope: {statements.OUT_OF_SCOPE}"],
        "dataUseCases": [statements.uses(about, summary)],
        "dataSocialImpact": (
            "Speech systems can be trained on voices of people who agreed, and who can take them back. A "
            "voice can identify a person, so a copy that leaks or is misused can harm its speakers."
        ),
        "dataReleaseMaintenancePlan": " ".join([*statements.maintenance(about), *privacy.withdrawal(about)]),
    }
    return {f"rai:{name}": value for name, value in fields.items() if value}


def _collection_types(about: About) -> list[str]:
    types = {BROWSER: "User-generated content data", DEVICE: "Software Collection", IMPORT: "Others"}
    return [types[source] for source in about.sources]


def _per_item(about: About) -> str:
    asked = [
        f"{campaign.title}: {campaign.min_annotations} to {campaign.max_annotations}"
        for campaign in about.campaigns
        if campaign.max_annotations
    ]
    average = about.figures.get("votes_per_clip")
    return "; ".join(asked + ([f"{average:.1f} on average"] if average is not None else []))


def provenance(about: About) -> dict[str, Any]:
    """Where it comes from and who made it; no agent is a person."""
    fields: dict[str, Any] = {
        "prov:wasAttributedTo": [_agent(operator(about)), volunteers(about)],
        "prov:wasGeneratedBy": [
            activity("Freezing a release: settled clips under ids that are random for this release")
        ],
    }
    titles = dict.fromkeys(
        origin.collection or "A collection without a title"
        for origin in about.origins
        if origin.source == IMPORT
    )
    derived = [{"@type": "prov:Entity", "prov:label": title} for title in titles]
    if about.previous:
        derived.append({"@id": f"{about.site}/releases/{about.previous}/", "@type": "prov:Entity"})
    return fields | ({"prov:wasDerivedFrom": derived} if derived else {})


def _agent(label: str) -> dict[str, str]:
    return {"@type": "prov:Agent", "prov:label": label}


def activity(label: str) -> dict[str, str]:
    return {"@type": "prov:Activity", "prov:label": label}


def volunteers(about: About) -> dict[str, str]:
    """The annotators as one agent: who they are is not said, and no one is told apart here."""
    return _agent(f"Volunteers of {about.site}, who are not identified")


def offer(about: About) -> dict[str, Any]:
    """The terms of use, as an offer of ODRL."""
    may = [{"@type": "odrl:Permission", "odrl:action": {"@id": "odrl:use"}}]
    must_not = [_prohibition("find out who a speaker is")]
    if about.has_single_votes:
        must_not.append(_prohibition("find out who a volunteer is"))
    if not about.is_public:
        must_not.append({"@type": "odrl:Prohibition", "odrl:action": {"@id": "odrl:distribute"}})
    return {
        "@id": f"{about.page}#terms",
        "@type": ["sc:CreativeWork", "odrl:Offer"],
        "name": f"Terms of {about.name}",
        "description": " ".join([statements.terms(about), *privacy.withdrawal(about)]),
        "odrl:target": {"@id": about.page},
        "odrl:permission": may,
        "odrl:prohibition": must_not,
        "odrl:obligation": [_deletion(about)],
    }


def _prohibition(action: str) -> dict[str, Any]:
    return {"@type": "odrl:Prohibition", "odrl:action": {"@type": "odrl:Action", "name": action}}


def _deletion(about: About) -> dict[str, Any]:
    """What the recall feed names must be deleted; copies for researchers, within days that are named."""
    duty: dict[str, Any] = {
        "@type": "odrl:Duty",
        "odrl:action": {"@id": "odrl:delete"},
        "odrl:target": {"@id": about.recalls},
    }
    if not about.is_public:
        duty["odrl:constraint"] = {
            "@type": "odrl:Constraint",
            "odrl:leftOperand": {"@id": "odrl:elapsedTime"},
            "odrl:operator": {"@id": "odrl:lteq"},
            "odrl:rightOperand": {"@value": f"P{RECALL_DAYS}D", "@type": "xsd:duration"},
        }
    return duty


def operator(about: About) -> str:
    return about.operator or f"Those who run {about.site}"
