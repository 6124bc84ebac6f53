"""Secrets at rest: sealed, opened, moved to a newer key."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain.accounts.manage import create_account
from app.domain.plans import Plan
from app.domain.sealing import KEY_FILE, Seal, SealBroken, load_seal
from app.domain.webhooks.reseal import renew_seals
from app.settings import Settings, SettingsError, load_settings
from app.storage.database import open_orm
from app.storage.models import WebhookRow
from tests.conftest import Site
from tests.databases import make_sqlite

OLD, NEW = "o" * 32, "n" * 32


def test_what_is_sealed_can_be_opened_by_the_same_key_only() -> None:
    sealed = Seal([OLD]).seal("whsec_é")
    assert "whsec" not in sealed
    assert Seal([OLD]).open(sealed) == "whsec_é"
    assert sealed != Seal([OLD]).seal("whsec_é")
    with pytest.raises(SealBroken):
        Seal([NEW]).open(sealed)


def test_the_first_key_seals_and_all_open() -> None:
    both = Seal([NEW, OLD])
    old = Seal([OLD]).seal("s")
    assert both.open(old) == "s"
    renewed = both.renewed(old)
    assert renewed is not None
    assert Seal([NEW]).open(renewed) == "s"
    assert both.renewed(renewed) is None


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        seals = list(pool.map(lambda _: load_seal(settings), range(8)))
    sealed = seals[0].seal("s")
    assert [seal.open(sealed) for seal in seals] == ["s"] * 8
    file = tmp_path / "new" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    # The file's content will do as a setting, on another machine.
    assert Seal([file.read_text(encoding="ascii").strip()]).open(sealed) == "s"


def test_the_setting_comes_before_the_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, secret_key=f"{NEW} , {OLD}")
    assert load_seal(settings).open(Seal([NEW]).seal("s")) == "s"
    assert load_seal(settings).open(Seal([OLD]).seal("s")) == "s"
    assert not (tmp_path / KEY_FILE).exists()
    assert NEW not in repr(settings)


def test_a_short_key_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSIFAILY_SECRET_KEY", f"{NEW},short")
    with pytest.raises(
        SettingsError, match="CLASSIFAILY_SECRET_KEY: must have at least 32"
    ) as told:
        load_settings()
    assert "short" not in str(told.value).partition(":")[2]


async def test_stored_secrets_move_to_the_newest_key(tmp_path: Path) -> None:
    file = make_sqlite(tmp_path)
    async with open_orm(file):
        account = await create_account("test", plan=Plan.PRO)
        old = Seal([OLD])
        common = {
            "account_id": account.id, "url": "https://example.com", "events": ["*"],
            "on_job_completed": True, "on_job_failed": True, "on_batch_completed": True,
            "created_at": account.created_at, "updated_at": account.created_at,
        }  # fmt: skip
        await WebhookRow.create(**common, secret=old.seal("one"), previous_secret=old.seal("two"))
        await WebhookRow.create(**common, secret="of another key")
        assert await renew_seals(old) == 0
        both = Seal([NEW, OLD])
        assert await renew_seals(both) == 2
        assert await renew_seals(both) == 0
        first, second = await WebhookRow.all().order_by("id")
    new = Seal([NEW])
    assert (new.open(first.secret), new.open(first.previous_secret)) == ("one", "two")
    assert second.secret == "of another key"


def test_doctor_tells_where_the_key_is(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.create_account()
    said = site.command("doctor", check=False).stdout
    assert f"ok       secret key: {site.data_dir / KEY_FILE}" in said

    async def register() -> None:
        async with open_orm(site.database):
            account = await create_account("test", plan=Plan.PRO)
            await WebhookRow.create(
                account_id=account.id, url="https://example.com", events=["*"],
                on_job_completed=True, on_job_failed=True, on_batch_completed=True,
                created_at=account.created_at, updated_at=account.created_at,
                secret=Seal([OLD]).seal("s"),
            )  # fmt: skip

    asyncio.run(register())
    done = site.command("doctor", check=False)
    assert done.returncode == 1
    assert (
        "missing  secret key: of 1 webhooks the secret was sealed under another key" in done.stdout
    )
