"""The scan that the other tests rely on finds what is planted on purpose, in every form, on every kind of surface."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path
from safetensors.numpy import save_file

from ethics.policy import SacredStatus
from ethics.stewardship import item_set_status
from genomepath.ethics_scan import scan_folders, withheld_texts
from genomepath.text_search import TextSearch
from neurobotanica.urls import urlpatterns as served
from tests.factories import make_item, make_practice
from tests.governance.canaries import Canary
from tests.governance.surfaces import cache_surfaces, leaks, leaks_in_folders, response_bytes

TEXT = 'Canário "ceremony" & name\U0001f33f'
CANARIES = {TEXT: Canary("sacred", "Practice.title")}


def _zip(target: Path, content: bytes, compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(target, "w", compression) as archive:
        archive.writestr("inner.txt", content)


WRITERS = {
    "plain": lambda file: file.write_text(f"a {TEXT} b", encoding="utf-8"),
    "small letters": lambda file: file.write_text(TEXT.lower(), encoding="utf-8"),
    "capitals": lambda file: file.write_text(TEXT.upper(), encoding="utf-8"),
    "JSON, escaped": lambda file: file.write_text(json.dumps({"a": TEXT})),
    "JSON, in UTF-8": lambda file: file.write_text(json.dumps({"a": TEXT}, ensure_ascii=False), encoding="utf-8"),
    "HTML": lambda file: file.write_text("<b>" + TEXT.replace("&", "&amp;").replace('"', "&quot;"), encoding="utf-8"),
    "URL": lambda file: file.write_text("/?q=Can%C3%A1rio%20%22ceremony%22%20%26%20name%F0%9F%8C%BF"),
    "UTF-16": lambda file: file.write_bytes(TEXT.encode("utf-16")),
    "UTF-16, big-endian, at an odd offset": lambda file: file.write_bytes(b"x" + TEXT.encode("utf-16-be")),
    "gzip": lambda file: file.write_bytes(gzip.compress(TEXT.encode())),
    "gzip, second member": lambda file: file.write_bytes(gzip.compress(b"a") + gzip.compress(TEXT.encode())),
    "gzip, cut off": lambda file: file.write_bytes(gzip.compress(TEXT.encode() + bytes(range(256)) * 40)[:-40]),
    "zip": lambda file: _zip(file, TEXT.encode()),
    "gzip within zip": lambda file: _zip(file, gzip.compress(TEXT.encode())),
    "arrays": lambda file: np.savez_compressed(file.with_suffix(".npz"), names=np.array([TEXT])),
    "tensor metadata": lambda file: save_file({"w": np.zeros(3, np.float32)}, file, metadata={"note": TEXT}),
    "amid weights": lambda file: file.write_bytes(
        np.random.default_rng(0).bytes(99_999) + TEXT.encode() + np.random.default_rng(1).bytes(99_999)
    ),
}


@pytest.mark.parametrize("form", WRITERS)
def test_a_leaking_file_is_found(form: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    WRITERS[form](tmp_path / "deep" / "model.bin")
    assert len(leaks_in_folders([tmp_path], CANARIES)) == 1


def test_a_leaking_file_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "canary-of-a-name.bin").write_bytes(b"")
    assert leaks_in_folders([tmp_path], {"canary-of-a-name": Canary("sacred", "slug")})


def test_an_innocent_folder_is_clean(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(np.random.default_rng(0).bytes(200_000))
    (tmp_path / "notes.json").write_text(json.dumps({"note": "Canary islands", "broken": "\x1f\x8b"}))
    (tmp_path / "not.gz").write_bytes(b"\x1f\x8bnot a gzip stream")
    assert leaks_in_folders([tmp_path], CANARIES) == []


def test_an_absent_folder_does_not_pass_as_clean(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan_folders([tmp_path / "gone"], {})


def test_a_short_name_is_found_as_a_word_and_not_within_another() -> None:
    search = TextSearch(["Ulumo"])
    assert search.found_in(b'{"name":"ulumo"}')
    assert not search.found_in(b"pulumology")


def _leaking_view(request):
    return HttpResponse(json.dumps({"title": TEXT}), content_type="application/json")


def _leaking_header(request):
    response = HttpResponse("nothing here")
    response["X-Practice"] = "canary-in-a-header"
    return response


def _leaking_stream(request):
    return StreamingHttpResponse(iter([b"canary-in-", b"a-stream"]))


urlpatterns = [
    *served,
    path("leak/body", _leaking_view),
    path("leak/header", _leaking_header),
    path("leak/stream", _leaking_stream),
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("address", "text"),
    [("body", TEXT), ("header", "canary-in-a-header"), ("stream", "canary-in-a-stream")],
)
def test_a_leaking_view_is_found(address: str, text: str, client: Client) -> None:
    surfaces = {address: response_bytes(client.get(f"/leak/{address}"))}
    assert leaks(surfaces, {text: Canary("sacred", "Practice.title")}) == [f"{address}: sacred Practice.title"]


def test_a_leaking_cache_value_is_found() -> None:
    cache.set("page", {"title": TEXT})
    assert len(leaks(cache_surfaces(), CANARIES)) == 1


@pytest.mark.parametrize("kind", ["key", "list", "hash"])
def test_a_leak_in_any_kind_of_stored_value_is_found(kind: str) -> None:
    store = redis.Redis.from_url(django_settings.REDIS_URL)
    name = f"{django_settings.CACHES['default']['KEY_PREFIX']}:queue"
    if kind == "key":
        store.set(f"{name}:{TEXT}", 1, ex=60)
    elif kind == "list":
        store.rpush(name, TEXT)
    else:
        store.hset(name, "field", TEXT)
    store.expire(name, 60)
    assert len(leaks(cache_surfaces(), CANARIES)) == 1


@pytest.mark.django_db
def test_the_gates_scan_looks_for_every_text_of_a_sacred_practice() -> None:
    written: dict[str, Any] = {
        "title": "canary title", "slug": "canary-slug", "tradition": "canary tradition", "region": "canary region",
        "period": "canary period", "plant_part": "canary part", "preparation": "canary preparation",
        "route": "canary route", "cultural_context": "canary context", "external_id": "canary-external",
    }  # fmt: skip
    practice = make_practice(**written, contraindications=["canary contraindication"])
    item_set_status(item=practice.item, status=SacredStatus.SACRED, protected_names=["Ulumo"])
    wanted = {*written.values(), "canary contraindication", "Ulumo", practice.item.display_label}
    assert wanted <= set(withheld_texts())


@pytest.mark.django_db
def test_what_an_allowed_practice_says_as_well_is_no_leak() -> None:
    make_practice(preparation="simmered twice in water from a spring")
    hidden = make_practice(preparation="simmered twice", title="canary title")
    item_set_status(item=hidden.item, status=SacredStatus.SACRED)
    texts = withheld_texts()
    assert "simmered twice" not in texts
    assert texts["canary title"] == str(hidden.item.public_id)


@pytest.mark.django_db
def test_nothing_is_looked_for_while_everything_is_allowed() -> None:
    make_practice(item=make_item())
    assert withheld_texts() == {}
