"""The settings, loaded in a process of their own: what is missing stops the start, and says what is missing."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEALING = "k2:" + base64.b64encode(b"2" * 32).decode() + ",k1:" + base64.b64encode(b"1" * 32).decode()
COMPLETE = {
    "READ_DOTENV": "0",
    "DATABASE_URL": "postgres://u@%2Ftmp%2Fnowhere/refillhub",
    "SECRET_KEY": "s" * 60,
    "SEALING_KEYS": SEALING,
    "EXPORT_SIGNING_KEY": base64.b64encode(b"e" * 32).decode(),
}


def load(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Evaluate `expression` over the settings in a fresh interpreter with exactly this environment."""
    code = f"from refillhub import settings as s; print(repr(({expression})))"
    env = {"PATH": os.environ["PATH"], **environment}
    root = Path(__file__).resolve().parents[2]
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["SECRET_KEY", "SEALING_KEYS", "EXPORT_SIGNING_KEY", "DATABASE_URL"])
def test_a_missing_secret_stops_the_start_and_is_named(name: str) -> None:
    done = load("s.DEBUG", **{key: value for key, value in COMPLETE.items() if key != name})
    assert done.returncode != 0
    assert name in done.stderr


def test_outside_debug_everything_is_strict_by_default() -> None:
    done = load("s.DEBUG, s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.CLOCK_OFFSET_SECONDS, s.DEMO", **COMPLETE)
    assert done.stdout.strip() == "(False, True, True, 0, False)"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "key"
    kept.write_text("from-a-file-" + "x" * 50 + "\n")
    given = {key: value for key, value in COMPLETE.items() if key != "SECRET_KEY"}
    done = load("s.SECRET_KEY", **given, SECRET_KEY_FILE=str(kept))
    assert done.stdout.strip() == repr("from-a-file-" + "x" * 50)


def test_sealing_keys_keep_their_order_newest_first() -> None:
    assert load("[key_id for key_id, _ in s.SEALING_KEYS]", **COMPLETE).stdout.strip() == "['k2', 'k1']"


@pytest.mark.parametrize("broken", ["k1:short", "k1:!!", ":" + "A" * 44, f"{SEALING},{SEALING}"])
def test_a_broken_sealing_key_stops_the_start(broken: str) -> None:
    done = load("1", **{**COMPLETE, "SEALING_KEYS": broken})
    assert done.returncode != 0
    assert "SEALING_KEYS" in done.stderr


def test_another_database_than_postgresql_is_refused() -> None:
    done = load("1", **{**COMPLETE, "DATABASE_URL": "sqlite:///x.sqlite3"})
    assert done.returncode != 0
    assert "PostgreSQL" in done.stderr


def test_unix_sockets_reach_database_broker_and_cache() -> None:
    done = load(
        "s.DATABASES['default']['HOST'], s.CELERY_BROKER_URL, s.CACHES['default']['LOCATION']",
        **COMPLETE,
        REDIS_URL="unix:///run/r.sock?db=2",
    )
    told = "('/tmp/nowhere', 'redis+socket:///run/r.sock?virtual_host=2', 'unix:///run/r.sock?db=2')"
    assert done.stdout.strip() == told


def test_every_variable_the_settings_read_is_explained_in_the_example(root: Path) -> None:
    source = (root / "refillhub" / "settings.py").read_text()
    explained = {line.partition("=")[0] for line in (root / ".env.example").read_text().splitlines() if "=" in line}
    read = {piece.partition('"')[0] for call in ("env.", "_secret(") for piece in _calls(source, call)}
    assert "DATABASE_URL" in read
    assert read - explained == set()


def _calls(source: str, call: str) -> list[str]:
    found = []
    for piece in source.split(call)[1:]:
        head, quote, rest = piece.partition('("' if call == "env." else '"')
        if quote and len(head) < 10 and rest[:1].isupper():
            found.append(rest)
    return found


def test_the_policy_of_the_browser_allows_our_own_files_only() -> None:
    done = load("sorted({str(v) for vs in s.CONTENT_SECURITY_POLICY['DIRECTIVES'].values() for v in vs})", **COMPLETE)
    assert done.stdout.strip() == "[\"'none'\", \"'self'\", 'data:']"
