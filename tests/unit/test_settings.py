from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.certificates import certify
from workers import settings
from workers.settings import SettingsWrong


@pytest.fixture(autouse=True)
def _in_a_clone(clone: Path) -> None:
    (clone / ".perdure" / "secrets").mkdir(parents=True)
    (clone / "docs" / "deep").mkdir(parents=True)


def test_home_is_in_the_root_of_the_clone_wherever_one_stands_in_it(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone / "docs" / "deep")
    assert settings.load().home == clone / ".perdure"
    monkeypatch.setenv("PERDURE_HOME", str(clone / "elsewhere"))
    assert settings.load().home == clone / "elsewhere"


def test_the_environment_stands_over_the_env_file_and_that_over_secret_files(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / ".perdure" / "secrets" / "stripe_api_key").write_text("from the file\n")
    assert settings.load().secret("stripe_api_key") == "from the file"
    (clone / ".env").write_text("PERDURE_STRIPE_API_KEY=from-dotenv\nOTHERS_SETTING=1\n")
    assert settings.load().secret("stripe_api_key") == "from-dotenv"
    monkeypatch.setenv("PERDURE_STRIPE_API_KEY", "from the environment")
    assert settings.load().secret("stripe_api_key") == "from the environment"


def test_several_webhook_secrets_may_hold_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_STRIPE_WEBHOOK_SECRETS", "whsec_new, whsec_old\nwhsec_older")
    found = settings.load().stripe_webhook_secrets
    assert [secret.get_secret_value() for secret in found] == [
        "whsec_new",
        "whsec_old",
        "whsec_older",
    ]


def test_every_wrong_setting_is_named_by_its_variable_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_GATEWAY_PORT", "eighty")
    monkeypatch.setenv("PERDURE_POLICY", "lenient")
    with pytest.raises(SettingsWrong) as caught:
        settings.load()
    message = str(caught.value)
    assert "PERDURE_GATEWAY_PORT: Input should be a valid integer" in message
    assert "PERDURE_POLICY: Input should be 'production' or 'demo'" in message
    assert "eighty" not in message
    assert "PERDURE_GATEWAY_URL" not in message, "it is only a consequence"


def test_a_misspelt_variable_is_not_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_GATEWAY_PROT", "8500")
    with pytest.raises(SettingsWrong, match="did you mean PERDURE_GATEWAY_PORT"):
        settings.load()


def test_a_misspelt_line_of_the_env_file_is_not_overlooked(clone: Path) -> None:
    (clone / ".env").write_text("PERDURE_GATEWAY_PROT=8500\n")
    with pytest.raises(SettingsWrong, match="PERDURE_GATEWAY_PROT"):
        settings.load()


def test_a_missing_secret_names_its_variable_its_file_and_the_way_out(clone: Path) -> None:
    with pytest.raises(SettingsWrong) as caught:
        _ = settings.load().database_url
    message = str(caught.value)
    assert "PERDURE_DATABASE_PASSWORD is not set" in message
    assert str(clone / ".perdure" / "secrets" / "database_password") in message
    assert "perdure up" in message


def test_the_database_url_takes_any_password() -> None:
    assert settings.load(database_password="a/b@c:d").database_url == (
        "postgresql://perdure:a%2Fb%40c%3Ad@127.0.0.1:8432/perdure?sslmode=disable"
    )


def test_no_secret_shows_in_what_is_printed_or_passed_on() -> None:
    found = settings.load(stripe_api_key="sk_test_hidden", stripe_webhook_secrets="whsec_hidden")
    assert "hidden" not in repr(found)
    assert "hidden" not in str(found.environment())


def test_what_is_passed_on_reads_back_as_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings.load(gateway_port=20400, policy="demo", log_format="json")
    for name, value in told.environment().items():
        monkeypatch.setenv(name, value)
    assert settings.load() == told


def test_links_lead_to_the_gateway_unless_somebody_says_otherwise() -> None:
    assert settings.load(gateway_port=9).confirmation_page == "http://127.0.0.1:9/confirm"
    elsewhere = settings.load(gateway_url="https://onboarding.example.com/")
    assert elsewhere.confirmation_page == "https://onboarding.example.com/confirm"


def test_the_database_url_says_how_it_is_encrypted(tmp_path: Path) -> None:
    assert settings.load(database_password="x").database_url.endswith("?sslmode=disable")
    found = settings.load(database_password="x", database_tls="verify-full")
    assert found.database_url.endswith("/perdure?sslmode=verify-full")
    named = certify(tmp_path).certificate
    found = settings.load(database_password="x", database_tls="verify-full", database_ca_file=named)
    assert found.database_url.endswith(f"&sslrootcert={quote(str(named), safe='')}")


@pytest.mark.parametrize("tls", ["none", "require"])
def test_authorities_that_nobody_would_look_at_are_refused(tmp_path: Path, tls: str) -> None:
    named = certify(tmp_path).certificate
    with pytest.raises(SettingsWrong, match=r"_CA_FILE: .*PERDURE_DATABASE_TLS=verify-full"):
        settings.load(database_tls=tls, database_ca_file=named)


def test_authorities_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    none_in_it = tmp_path / "ca.pem"
    none_in_it.write_text("no certificate")
    for file in (none_in_it, tmp_path / "missing.pem"):
        with pytest.raises(SettingsWrong, match=r"PERDURE_DATABASE_CA_FILE: .*can be read"):
            settings.load(database_tls="verify-full", database_ca_file=file)


@pytest.mark.parametrize("host", ["mail.example.com", "192.0.2.7"])
def test_a_login_is_not_told_to_a_mail_server_in_the_clear(host: str) -> None:
    with pytest.raises(SettingsWrong, match=r"PERDURE_SMTP_USER: .*set PERDURE_SMTP_TLS"):
        settings.load(smtp_host=host, smtp_user="perdure")
    for tls in ("starttls", "tls"):
        assert settings.load(smtp_host=host, smtp_user="perdure", smtp_tls=tls).smtp_user
    assert settings.load(smtp_host=host, smtp_user="perdure", mail="outbox").smtp_user
    assert settings.load(smtp_host=host).smtp_tls == "none"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_login_may_stay_on_this_machine_in_the_clear(host: str) -> None:
    assert settings.load(smtp_host=host, smtp_user="perdure").smtp_user == "perdure"
