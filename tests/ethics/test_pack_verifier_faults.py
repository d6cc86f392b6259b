"""The verifier of evidence packs, run as a stranger runs it: what it lets pass, and that it finds and names every fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ethics.audit import verify
from tests.ethics.evidence_packs import (
    SALT,
    Files,
    SyntheticLog,
    canonical,
    commitment,
    fingerprint,
    key_id,
    lines,
    resigned,
    write_folder,
    write_zip,
)
from tests.ethics.pack_verifier_runs import FILES, FIRST_KEY, LAST_KEY, LOG_PACK, STRANGER, run, verdict_of


def changed(name: str, change: Callable[[list[bytes]], list[bytes]]) -> Files:
    """The files with the lines of one changed, and nothing else: neither manifest nor signature."""
    return {**FILES, name: b"".join(change(FILES[name].splitlines(keepends=True)))}


def edited(name: str, line: int, old: str, new: str) -> Files:
    """The files with a text replaced in one line (from 1) of a file."""
    found = FILES[name].splitlines(keepends=True)
    assert old.encode() in found[line - 1]
    found[line - 1] = found[line - 1].replace(old.encode(), new.encode(), 1)
    return {**FILES, name: b"".join(found)}


def test_whole_pack_passes_as_zip_and_unpacked_and_from_within(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "unpacked", FILES)
    for answer in (verdict_of(tmp_path, FILES), run(folder), run(None, program=folder / "verify.py")):
        assert answer.code == 0
        assert "KEY NOT CONFIRMED" in answer.text
        assert "17 other events of the log up to that head are not here" in answer.text
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("key", [FIRST_KEY, LAST_KEY], ids=["first key", "endorsed key"])
def test_pack_of_the_named_key_is_verified(tmp_path: Path, key) -> None:
    answer = verdict_of(tmp_path, FILES, "--key", fingerprint(key).upper())
    assert answer.code == 0
    assert "RESULT: VERIFIED" in answer.text


def test_unfiltered_pack_is_said_to_be_complete(tmp_path: Path) -> None:
    answer = verdict_of(tmp_path, SyntheticLog(selected=range(23), filters={}).files())
    assert answer.code == 0
    assert "The pack is complete: it holds all 23 events" in answer.text
    assert "other events" not in answer.text


@pytest.mark.parametrize(
    "filters",
    [
        {"actor": commitment(bytes(32), "somebody")},
        {"client": "client-2"},
        {"event_type": "consent.*", "subject": "überall"},
        {"event_type": "consent.withdrawn", "refusal": "near"},
        {"request_id": "request-8"},
        {"since": "2026-01-09T08:00:00+00:00", "until": "2026-01-09T08:00:01+00:00", "community": "two"},
    ],
    ids=str,
)
def test_event_within_the_filters_passes(tmp_path: Path, filters: dict) -> None:
    files = SyntheticLog(selected=[8], filters=filters).files()
    assert verdict_of(tmp_path, resigned({**files, "disclosures.jsonl": b""}, LAST_KEY)).code == 0


RECORD_FAULTS = {
    "changed event": (edited("events.jsonl", 3, "item-0", "item-1"), "events.jsonl line 3 is not leaf 5"),
    "event named": (edited("events.jsonl", 3, '"count":5', '"count":6'), "event 00000000-0000-4000-8000-000000000005"),
    "event removed": (changed("events.jsonl", lambda found: found[:2] + found[3:]), "events.jsonl line 3"),
    "last event removed": (changed("events.jsonl", lambda found: found[:-1]), "an event was removed"),
    "event twice": (changed("events.jsonl", lambda found: found[:1] + found), "events.jsonl line 2"),
    "events swapped": (changed("events.jsonl", lambda found: [found[1], found[0], *found[2:]]), "events.jsonl line 1"),
    "line without end": (changed("events.jsonl", lambda found: [*found[:-1], found[-1][:-1]]), "line 6 breaks off"),
    "proof removed": (changed("proofs.jsonl", lambda found: found[:-1]), "events.jsonl line 6 has no proof"),
    "other place": (edited("proofs.jsonl", 2, '"leaf_index":3', '"leaf_index":4'), "events.jsonl line 2"),
    "proof not JSON": (edited("proofs.jsonl", 2, "[", "{"), "proofs.jsonl line 2 is not the JSON"),
    "other root": (edited("heads.jsonl", 2, '"tree_size":8', '"tree_size":9'), "heads.jsonl line 2 does not hold"),
    "head removed": (
        changed("heads.jsonl", lambda found: found[:1] + found[2:]),
        "not the proof from size 5 to size 21",
    ),
    "heads swapped": (changed("heads.jsonl", lambda found: [found[1], found[0], *found[2:]]), "line 2 holds the head"),
    "consistency": (changed("consistency.jsonl", lambda found: found[::-1]), "consistency.jsonl line 1"),
    "other salt": (edited("disclosures.jsonl", 2, "0001", "0002"), "disclosures.jsonl line 2"),
    "other name": (edited("disclosures.jsonl", 1, "Ann", "Eve"), "disclosures.jsonl line 1"),
    "other key": (edited("keys.jsonl", 2, '"public_key":"', '"public_key":"00'), "keys.jsonl line 2"),
    "summary": ({**FILES, "summary.html": b"<!doctype html><title>Summery</title>\n"}, "summary.html was changed"),
    "program": ({**FILES, "verify.py": FILES["verify.py"] + b"#"}, "verify.py is longer"),
    "filters": (edited("manifest.json", 1, '"community":"one"', '"community":"two"'), "manifest.sig does not hold"),
    "count": (edited("manifest.json", 1, '"events":6', '"events":7'), "holds 6 events, where the manifest says 7"),
    "file missing": ({name: data for name, data in FILES.items() if name != "heads.jsonl"}, "heads.jsonl is missing"),
    "unsigned": ({name: data for name, data in FILES.items() if name != "manifest.sig"}, "manifest.sig is missing"),
    "no manifest": (
        {name: data for name, data in FILES.items() if name != "manifest.json"},
        "manifest.json is missing",
    ),
}


@pytest.mark.parametrize("fault", RECORD_FAULTS)
def test_edited_pack_is_refused_and_the_place_named(tmp_path: Path, fault: str) -> None:
    files, named = RECORD_FAULTS[fault]
    answer = verdict_of(tmp_path, files)
    assert answer.code == 1
    assert named in answer.text
    assert "NOT VERIFIED" in answer.text


def with_head(place: int, head: dict) -> bytes:
    found = FILES["heads.jsonl"].splitlines(keepends=True)
    return b"".join([*found[:place], canonical(head) + b"\n", *found[place:]])


OTHER = SyntheticLog(size=23)
OTHER.leaves[4] = bytes(32)
# Faults that somebody signs who holds the log's key: the manifest and the heads are in order, the tree is not.
SIGNED_FAULTS = {
    "event of another log": ({"events.jsonl": FILES["events.jsonl"].replace(b"item-0", b"item-9")}, "line 3"),
    "fork": ({"heads.jsonl": with_head(2, OTHER.head(8))}, "a second head of size 8: the log was forked"),
    "old head replayed": ({"heads.jsonl": with_head(4, LOG_PACK.head(8))}, "size 8 out of order"),
    "rewritten history": (
        {"heads.jsonl": lines([LOG_PACK.head(5), OTHER.head(8), LOG_PACK.head(21), LOG_PACK.head(23)])},
        "does not show that the tree of size 8 begins with the one of size 5",
    ),
    "head of another log": (
        {"heads.jsonl": FILES["heads.jsonl"].replace(LOG_PACK.log_id.encode(), b"0" * 64)},
        "belongs to another log",
    ),
    "unsigned head": (
        {"heads.jsonl": lines([*map(LOG_PACK.head, (5, 8, 21)), {**LOG_PACK.head(23), "signature": "0" * 128}])},
        "heads.jsonl line 4 does not hold the signature",
    ),
    "head signed by a stranger": (
        {"heads.jsonl": lines([*map(LOG_PACK.head, (5, 8, 21)), LOG_PACK.head(23, STRANGER)])},
        f"names the key '{key_id(STRANGER)}', which keys.jsonl lacks",
    ),
    "last head removed": (
        {"heads.jsonl": lines(map(LOG_PACK.head, (5, 8, 21))), "consistency.jsonl": b""},
        "consistency.jsonl lacks the proof from size 5 to size 8",
    ),
    "proof to another head": (
        {"proofs.jsonl": lines(LOG_PACK.proof(index, 21) for index in (2, 3, 5, 8, 20))},
        "events.jsonl line 1 is not leaf 2 of the tree that the head (size 23) signs",
    ),
    "order changed": (
        {
            "events.jsonl": b"".join(LOG_PACK.events[index] + b"\n" for index in (3, 2)),
            "proofs.jsonl": lines(LOG_PACK.proof(index, 23) for index in (3, 2)),
        },
        "proofs.jsonl line 2 holds the leaf 2 after the leaf 3",
    ),
    "event and proof twice": (
        {
            "events.jsonl": b"".join(LOG_PACK.events[index] + b"\n" for index in (3, 3)),
            "proofs.jsonl": lines(LOG_PACK.proof(index, 23) for index in (3, 3)),
        },
        "proofs.jsonl line 2 holds the leaf 3 after the leaf 3",
    ),
    "name of another log": (
        {"keys.jsonl": lines(LOG_PACK.key_records()[1:])},
        "keys.jsonl line 1 holds the key",
    ),
    "name of nobody": (
        {
            "disclosures.jsonl": lines(
                [{"kind": "actor", "commitment": commitment(SALT, "Eve"), "salt": SALT.hex(), "text": "Eve"}]
            )
        },
        "what no event of the pack committed to",
    ),
    "name told twice": ({"disclosures.jsonl": lines(LOG_PACK.disclosures()[:1] * 2)}, "or discloses it twice"),
    "other endorsement": (
        {"keys.jsonl": FILES["keys.jsonl"].replace(b'"created_at":"2026-01-02', b'"created_at":"2026-01-03')},
        "with a wrong endorsement",
    ),
    "key without endorsement": (
        {"keys.jsonl": lines([LOG_PACK.key_records()[0], {**LOG_PACK.key_records()[1], "endorsed_by": ""}])},
        "which is not endorsed by the key before it",
    ),
    "key of small order": (
        {"keys.jsonl": lines([{**LOG_PACK.key_records()[0], "public_key": "00" * 32, "key_id": "66687aadf862bd77"}])},
        "no proper point of the curve",
    ),
}


@pytest.mark.parametrize("fault", SIGNED_FAULTS)
def test_fault_under_a_right_signature_is_found_and_named(tmp_path: Path, fault: str) -> None:
    changes, named = SIGNED_FAULTS[fault]
    answer = verdict_of(tmp_path, resigned({**FILES, **changes}, LAST_KEY))
    assert answer.code == 1
    assert named in answer.text


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"community": "two"}, "events.jsonl line 2 does not pass the pack's own filter community=two"),
        ({"since": "2026-01-04T00:00:00+00:00"}, "events.jsonl line 1 does not pass the pack's own filter since"),
        ({"until": "2026-01-21T00:00:00+00:00"}, "events.jsonl line 5 does not pass the pack's own filter until"),
        ({"actor": commitment(SALT, "Ann Officer")}, "events.jsonl line 1"),
        ({"colour": "red"}, "names a filter that this program does not know: colour"),
        ({"community": 7}, "names a filter that this program does not know: community"),
        ({"since": "soon"}, "names a time that can't be read: soon"),
    ],
    ids=str,
)
def test_event_outside_the_filters_is_named(tmp_path: Path, filters: dict, named: str) -> None:
    answer = verdict_of(tmp_path, resigned(FILES, LAST_KEY, filters=filters))
    assert answer.code == 1
    assert named in answer.text


class TestPackOfAStranger:
    """Somebody makes a whole pack, in order within itself, under a key of their own."""

    FORGED = SyntheticLog(keys=[STRANGER]).files()

    def test_is_found_by_the_fingerprint(self, tmp_path: Path) -> None:
        answer = verdict_of(tmp_path, self.FORGED, "--key", fingerprint(FIRST_KEY))
        assert answer.code == 1
        assert "no key of this pack has the fingerprint that you gave" in answer.text

    def test_is_never_called_verified_without_a_fingerprint(self, tmp_path: Path) -> None:
        answer = verdict_of(tmp_path, self.FORGED)
        assert "RESULT: VERIFIED" not in answer.text
        assert "KEY NOT CONFIRMED" in answer.text
        assert fingerprint(STRANGER) in answer.text

    def test_gains_nothing_by_putting_the_true_key_in(self, tmp_path: Path) -> None:
        """The true key stands after the forger's, who endorses it; no true key endorses the forger's."""
        answer = verdict_of(
            tmp_path,
            resigned(SyntheticLog(keys=[STRANGER, FIRST_KEY]).files(), STRANGER),
            "--key",
            fingerprint(FIRST_KEY),
        )
        assert answer.code == 1
        assert "signed by a key that the one you named does not endorse" in answer.text


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_byte_of_any_file_changes_unseen(tmp_path: Path, name: str, capsys) -> None:
    data = FILES[name]
    for place in range(0, len(data), max(1, len(data) // 15)):
        files = {**FILES, name: data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]}
        assert verify.main([str(write_zip(tmp_path / "pack.zip", files))]) == 1, f"byte {place}"
        assert "FAIL" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(FILES) - {"verify.py"}))
def test_no_byte_at_all_changes_unseen(tmp_path: Path, name: str) -> None:
    data = FILES[name]
    for place in range(len(data)):
        files = {**FILES, name: data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]}
        assert verify.main([str(write_zip(tmp_path / "pack.zip", files))]) == 1, f"byte {place}"
